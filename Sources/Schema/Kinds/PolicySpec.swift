/// `Policy`: what the resources within its reach may ask for, and who must have signed the commits that change them.
package struct PolicySpec: Sendable, Hashable, Codable {
    /// Which resources a policy is about; what is left out narrows nothing.
    package struct Match: Sendable, Hashable, Codable {
        package var kinds: [Kind]?
        /// Names of namespaces, in which `*` stands for any letters.
        package var namespaces: [String]?
        package var labels: [String: String]?
    }

    package struct AllowList: Sendable, Hashable, Codable {
        package var allow: [String]
    }

    /// The hosts that anything may be fetched from, or asked.
    package struct Hosts: Sendable, Hashable, Codable {
        package var allow: [String]
        /// Whether steps may call hosts of private networks.
        package var allowPrivate: Bool
    }

    package struct Limits: Sendable, Hashable, Codable {
        package var replicas: Int?
        package var memory: ByteCount?
    }

    /// The fields of a model's card that can be required.
    package enum CardField: String, Sendable, Hashable, Codable, CaseIterable {
        case owner
        case license
        case risk
        case description
        case intendedUse
        case limitations
        case trainingData
        case languages
        case tags
        case homepage
    }

    package struct Requirements: Sendable, Hashable, Codable {
        package var labels: [String]
        package var annotations: [String]
        package var card: [CardField]
    }

    /// Who must have signed the commits that touch some paths.
    package struct Signatures: Sendable, Hashable, Codable {
        package var paths: [String]
        /// Fingerprints or addresses; nil: everyone whose key is in the files.
        package var signers: [String]?
        /// Repository paths of the files with the keys; nil: the controller's own.
        package var allowedSigners: String?
        package var openpgpKeyring: String?
        package var minimum: Int
    }

    /// What becomes of a resource that breaks the policy.
    package enum Enforcement: String, Sendable, Hashable, Codable, CaseIterable {
        /// It is not applied; what was promoted serves on.
        case deny
        /// It is applied and reported.
        case warn
    }

    package var match: Match
    package var engines: AllowList?
    package var hosts: Hosts?
    package var limits: Limits
    package var require: Requirements
    package var signatures: [Signatures]
    /// Checked by the reader; carried out when evaluations arrive.
    package var evaluations: [JSONValue]
    package var enforcement: Enforcement
}
