package import Planning
package import Schema

/// The built-in engines `openai` and `inference`: a server elsewhere answers, and this one only asks it.
package struct UpstreamEngine: InferenceEngine {
    /// What the server speaks.
    package enum Interface: String, Sendable, Hashable, CaseIterable {
        /// OpenAI's API: vLLM, Ollama, llama-server, a cloud, another Martlet.
        case openAI = "openai"
        /// The Open Inference Protocol V2: Triton, KServe, MLServer, another Martlet.
        case openInference = "inference"
    }

    /// Reads a secret that a manifest only names. Throws `SecretMissing`, `SecretExposed`.
    package typealias Secret = @Sendable (SecretReference) throws -> [UInt8]

    /// For checks far from the server, where nothing is asked.
    package static let noSecrets: Secret = { _ in
        throw MartletError("SecretMissing", "only a running controller reads secrets")
    }

    package let version = "1"
    private let interface: Interface
    private let secret: Secret
    private let probeTimeout: Duration

    package var name: String { self.interface.rawValue }

    package init(_ interface: Interface, secret: @escaping Secret) {
        self.init(interface, probeTimeout: UpstreamProbe.timeout, secret: secret)
    }

    /// - Parameter probeTimeout: how long the answer to a probe may take.
    init(_ interface: Interface, probeTimeout: Duration, secret: @escaping Secret) {
        self.interface = interface
        self.secret = secret
        self.probeTimeout = probeTimeout
    }

    /// Knows one option: `concurrency`, the most requests at once, 1024 unless given.
    package func problems(inOptions options: [String: JSONValue]) -> [OptionProblem] {
        options.sorted { $0.key < $1.key }.compactMap { name, value in
            guard name == "concurrency" else {
                return OptionProblem(
                    option: name,
                    message: "the engine '\(self.name)' has no option '\(name)'; it knows concurrency"
                )
            }
            guard case .integer(let requests) = value, (1...65_536).contains(requests) else {
                return OptionProblem(option: name, message: "'\(name)' must be an integer from 1 to 65536")
            }
            return nil
        }
    }

    /// Reads the keys. A server of OpenAI's API need not answer yet, since one that is away now may be there when it is
    /// needed; one of tensors must tell what its model takes and gives.
    package func open(_ opening: ModelOpening) throws -> LoadedModel {
        guard let upstreams = opening.upstreams, !upstreams.members.isEmpty else {
            throw MartletError("InvalidUpstream", "the engine '\(self.name)' needs an upstream")
        }
        if let problem = self.problems(inOptions: opening.options).first {
            throw MartletError("InvalidOption", problem.message)
        }
        let pool = UpstreamPool(
            upstreams,
            endpoints: try upstreams.members.map {
                try UpstreamEndpoint($0, paths: self.interface.paths, secret: self.secret)
            },
            probe: UpstreamProbe(path: self.interface.healthPath, timeout: self.probeTimeout),
            clock: ContinuousClock(),
            random: { Double.random(in: 0..<1) }
        )
        var concurrency = 1024
        if case .integer(let requests) = opening.options["concurrency"] { concurrency = Int(requests) }
        switch self.interface {
        case .openAI: return .completion(try OpenAIUpstream(pool, concurrency: concurrency))
        case .openInference: return .tensorService(try InferenceUpstream(pool, concurrency: concurrency))
        }
    }
}

extension UpstreamEngine.Interface {
    /// What tells cheaply whether a server is well, below its base path.
    fileprivate var healthPath: String {
        switch self {
        case .openAI: "/models"
        case .openInference: "/health/ready"
        }
    }

    /// Where JSON is posted again and again, below a server's base path.
    fileprivate var paths: [String] {
        switch self {
        case .openAI: OpenAIUpstream.paths
        case .openInference: []
        }
    }
}
