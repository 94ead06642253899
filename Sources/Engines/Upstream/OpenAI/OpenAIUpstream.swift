internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema
internal import Synchronization

/// A language model behind one or more servers that speak OpenAI's API.
final class OpenAIUpstream: CompletionModel {
    /// The most bytes of an answer that is not streamed.
    static let longestAnswer = 64 << 20

    /// Where requests go below a server's base path.
    static let paths = [OpenAICall.chat, OpenAICall.completions, embeddings]
    private static let embeddings = "/embeddings"

    let description: ModelDescription
    private let pool: UpstreamPool
    private let isClosed = Mutex(false)

    /// - Parameter concurrency: the most requests at once.
    init(_ pool: UpstreamPool, concurrency: Int) throws {
        self.pool = pool
        self.description = ModelDescription(
            architecture: "upstream",
            weightBytes: 0,
            sessionBytes: 0,
            slots: concurrency,
            generates: true
        )
    }

    var upstreams: [UpstreamObservation] { self.pool.observations }

    func watchUpstreams(_ changed: @escaping @Sendable () -> Void) async {
        await self.pool.watch(changed)
    }

    func complete(_ request: CompletionRequest) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        let (events, output) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
        // The stream's reader is its parent: it ends the task by leaving.
        let task = Task {
            do {
                try await self.answer(request) { output.yield($0) }
                output.finish()
            } catch {
                output.finish(throwing: error)
            }
        }
        output.onTermination = { _ in task.cancel() }
        return events
    }

    func answer(
        _ request: CompletionRequest,
        receive: @escaping @Sendable (CompletionEvent) -> Void
    ) async throws {
        try self.requireOpen()
        let call = try OpenAICall(request)
        let hasBegun = Mutex(false)
        try await self.pool.ask { endpoint in
            let exchange = UpstreamExchange(from: endpoint) { head in
                try OpenAIAnswerReader(head, call, from: endpoint) { event in
                    hasBegun.withLock { $0 = true }
                    receive(event)
                }
            }
            let limit = call.streams ? endpoint.firstByteTimeout : nil
            try await self.send(
                call.path,
                call.body(model: endpoint.model),
                to: endpoint,
                firstByte: limit.map { limit in FirstByteLimit(time: limit) { exchange.hasBegun } },
                exchange
            )
        } isTooLate: {
            hasBegun.withLock { $0 }
        }
    }

    func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        try self.requireOpen()
        return try await self.pool.ask { endpoint in
            let answer = CollectedAnswer(from: endpoint, limit: Self.longestAnswer) { _, body in
                try OpenAIEmbeddings.read(body, count: texts.count, from: endpoint)
            }
            let body = OpenAIEmbeddings.body(texts, model: endpoint.model)
            try await self.send(Self.embeddings, body, to: endpoint, answer.exchange)
            return try answer.get()
        }
    }

    func close() async {
        self.isClosed.withLock { $0 = true }
        self.pool.close()
    }

    private func requireOpen() throws {
        guard !self.isClosed.withLock({ $0 }) else { throw MartletError("ModelClosed", "the model was closed") }
    }

    private func send(
        _ path: String,
        _ body: [UInt8],
        to endpoint: UpstreamEndpoint,
        firstByte: FirstByteLimit? = nil,
        _ exchange: UpstreamExchange
    ) async throws {
        var request = try endpoint.post(path)
        request.body = .bytes(body)
        try await UpstreamClient.send(request, to: endpoint, timeout: endpoint.timeout, firstByte: firstByte, exchange)
    }
}
