internal import Schema

/// Who must have signed the commits that touch some paths.
package struct SignatureRule: Sendable, Hashable {
    package var paths: [PathPattern]
    package var keys: SigningKeys
    /// Words that name the signers; nil: everyone whose key is among ``keys``.
    package var signers: [String]?
    /// Who demands it, for people: `--require-signatures`, `Policy/shop/house-rules`.
    package var origin: String
    /// Why nobody can satisfy the rule; nil: somebody can.
    package var obstacle: String?

    package init(
        paths: [String],
        keys: SigningKeys,
        signers: [String]? = nil,
        origin: String,
        obstacle: String? = nil
    ) {
        self.paths = paths.map { PathPattern($0) }
        self.keys = keys
        self.signers = signers
        self.origin = origin
        self.obstacle = obstacle
    }

    /// Whether only allowed signers may change a path.
    ///
    /// A path may begin with the name of its source (`shop:production/desk.yaml`); patterns are about the rest. Files
    /// that leave others out of reading are guarded by every rule, since with them guarded files could be made to go.
    func guards(_ path: String) -> Bool {
        let colon = path.utf8.firstIndex(of: UInt8(ascii: ":"))
        let inSource = colon.map { String(path[path.utf8.index(after: $0)...]) }
        let paths = [path, inSource].compactMap(\.self)
        if paths.contains(where: { PathPattern(".martletignore").matches($0) }) { return true }
        return self.paths.contains { pattern in paths.contains { pattern.matches($0) } }
    }

    /// A verdict on the keys, narrowed to the signers that this rule names.
    func narrow(_ verdict: SignatureVerdict) -> SignatureVerdict {
        guard case .signed(let signer) = verdict, let signers = self.signers,
            !signers.contains(where: { signer.isNamed($0) })
        else { return verdict }
        return .refused("it is signed by \(signer), who is not among the signers \(signers.joined(separator: ", "))")
    }
}

extension SignatureRule {
    /// The rules of a set of policies.
    ///
    /// - Parameters:
    ///   - keys: of whoever runs the controller; they stand in where a rule names no file.
    ///   - read: reads a file that a policy names, of the commit whose rules these are.
    static func rules(
        of policies: [Policy],
        keys: SigningKeys,
        read: (_ path: String, Policy) throws -> [UInt8]
    ) -> [SignatureRule] {
        policies.flatMap { policy in
            policy.spec.signatures.enumerated().map { index, demand in
                self.rule(demand, keys, origin: "\(policy.identity), spec.signatures[\(index)]") {
                    try read($0, policy)
                }
            }
        }
    }

    private static func rule(
        _ demand: PolicySpec.Signatures,
        _ keys: SigningKeys,
        origin: String,
        _ read: (_ path: String) throws -> [UInt8]
    ) -> SignatureRule {
        var rule = SignatureRule(paths: demand.paths, keys: SigningKeys(), signers: demand.signers, origin: origin)
        do {
            rule.keys.allowedSigners = try demand.allowedSigners.map(read)
            rule.keys.openPGPKeyring = try demand.openpgpKeyring.map(read)
            if rule.keys.isEmpty { rule.keys = keys }
            if rule.keys.isEmpty {
                rule.obstacle =
                    "it names no file of keys, and martlet was given none by --require-signatures or "
                    + "--openpgp-keyring"
            }
            if demand.minimum > 1 {
                rule.obstacle = "more than one signer for a change is not available in this version"
            }
        } catch {
            rule.obstacle = "its keys cannot be read: \((error as? MartletError)?.message ?? "\(error)")"
        }
        return rule
    }
}
