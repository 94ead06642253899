/// `Model`: something that answers.
///
/// Every spec type decodes from a *complete* value: one that passed its ``Shape`` and has every default filled in.
package struct ModelSpec: Sendable, Hashable, Codable {
    /// When the weights are loaded.
    package enum LoadPolicy: String, Sendable, Hashable, Codable, CaseIterable {
        case eager
        case lazy
    }

    /// Where the bytes of a model or an adapter come from.
    package struct Source: Sendable, Hashable, Codable {
        /// A repository path, or `file:`, `https:`, `s3:`, `hf:`.
        package var uri: String
        /// Required unless the file is in the repository.
        package var sha256: String?
    }

    package struct Adapter: Sendable, Hashable, Codable {
        package var name: String
        package var source: Source
        package var scale: Double
    }

    package struct Resources: Sendable, Hashable, Codable {
        /// Nil: the probe measures it.
        package var memory: ByteCount?
        package var threads: Int
        package var accelerator: String?
    }

    /// One request that must succeed before an instance is ready.
    package struct WarmUp: Sendable, Hashable, Codable {
        package var prompt: String
        package var maxTokens: Int

        package init(prompt: String, maxTokens: Int) {
            self.prompt = prompt
            self.maxTokens = maxTokens
        }
    }

    /// A server elsewhere that answers for this model.
    package struct Upstream: Sendable, Hashable, Codable {
        package var url: String
        package var model: String?
        package var apiKey: SecretReference?
        package var timeout: ManifestDuration
        package var firstByteTimeout: ManifestDuration?
        package var retries: Int
        /// Of `upstreams` only.
        package var weight: Int?
    }

    /// Which of several upstreams a request goes to.
    package enum Balance: String, Sendable, Hashable, Codable, CaseIterable {
        /// The first one, and the next one only where that fails.
        case order
        /// Each as often as its weight says.
        case weight
        /// The one with the fewest requests under way, for its weight.
        case leastBusy
    }

    package var engine: String
    package var source: Source?
    package var upstream: Upstream?
    package var upstreams: [Upstream]?
    package var balance: Balance
    package var version: String?
    package var load: LoadPolicy
    package var replicas: Int
    package var resources: Resources
    package var adapters: [Adapter]
    package var options: [String: JSONValue]
    package var warmUp: [WarmUp]
    package var card: [String: JSONValue]
}

/// Names a secret; the secret itself never stands in a manifest.
package struct SecretReference: Sendable, Hashable, Codable {
    package var fromEnv: String?
    package var fromFile: String?

    package init(fromEnv: String? = nil, fromFile: String? = nil) {
        self.fromEnv = fromEnv
        self.fromFile = fromFile
    }
}
