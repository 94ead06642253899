internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema
internal import Synchronization

/// A model of tensors behind one or more servers that speak the Open Inference Protocol V2: Triton, KServe, MLServer,
/// another Martlet. Tensors travel in the protocol's binary extension.
final class InferenceUpstream: TensorService {
    /// The most bytes of an answer.
    static let longestAnswer = 1 << 30

    let description: ModelDescription
    private let signature: TensorSignature
    private let pool: UpstreamPool
    private let isClosed = Mutex(false)

    var upstreams: [UpstreamObservation] { self.pool.observations }

    func watchUpstreams(_ changed: @escaping @Sendable () -> Void) async {
        await self.pool.watch(changed)
    }

    /// Asks the servers in turn, until one tells what the model takes and gives; blocks. Throws `UpstreamUnavailable`.
    ///
    /// - Parameter concurrency: the most requests at once.
    init(_ pool: UpstreamPool, concurrency: Int) throws {
        self.pool = pool
        self.signature = try Self.signature(from: pool.endpoints)
        self.description = ModelDescription(
            architecture: "upstream",
            weightBytes: 0,
            sessionBytes: 0,
            slots: concurrency,
            tensors: self.signature
        )
    }

    func run(_ inputs: [Tensor], outputs: [String]) async throws -> [Tensor] {
        guard !self.isClosed.withLock({ $0 }) else { throw MartletError("ModelClosed", "the model was closed") }
        let expected = try self.signature.check(inputs, outputs: outputs)
        let call = InferenceCall(inputs, outputs: outputs)
        return try await self.pool.ask { endpoint in
            let answer = CollectedAnswer(from: endpoint, limit: Self.longestAnswer) { head, body in
                try InferenceAnswer.read(body, head, expecting: expected, from: endpoint)
            }
            var request = try endpoint.request(
                .POST,
                Self.path(of: endpoint) + "/infer",
                contentType: "application/octet-stream"
            )
            request.headers.add(name: InferenceAnswer.lengthHeader, value: String(call.headerLength))
            request.body = .bytes(call.body)
            try await UpstreamClient.send(request, to: endpoint, timeout: endpoint.timeout, answer.exchange)
            return try answer.get()
        }
    }

    func close() async {
        self.isClosed.withLock { $0 = true }
        self.pool.close()
    }

    private static func path(of endpoint: UpstreamEndpoint) -> String {
        "/models/\(endpoint.escapedModel)"
    }

    private static func signature(from endpoints: [UpstreamEndpoint]) throws -> TensorSignature {
        var reason = ""
        for endpoint in endpoints {
            let answer = CollectedAnswer(from: endpoint, limit: 1 << 20) { _, body in
                try InferenceAnswer.signature(body, from: endpoint)
            }
            do {
                let request = try endpoint.request(.GET, Self.path(of: endpoint), contentType: nil)
                try UpstreamClient.sendAndBlock(request, to: endpoint, timeout: endpoint.timeout, answer.exchange)
                return try answer.get()
            } catch {
                reason = "\(error)"
            }
        }
        throw MartletError(
            "UpstreamUnavailable",
            "no upstream tells what the model takes and gives: \(reason)",
            disposition: .retryable
        )
    }
}
