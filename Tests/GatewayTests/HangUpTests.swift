import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Planning
import ServiceLifecycle
import Serving
import Synchronization
import Testing

@testable import Gateway

@Suite("Hang-ups and shutdown", .timeLimit(.minutes(1)))
struct HangUpTests {
    static let streamed = #"{"model": "desk", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}"#

    /// Sends a request that is never read, waits until the endpoint works on it, and hangs up.
    private func hangUp(
        on service: FakeEndpoints,
        at path: String = ChatRoutesTests.path,
        body: String,
        once begun: AsyncStream<Void>
    ) async throws {
        try await makeApplication(makeDataPlane(service)).test(.live) { tester in
            let client = TestClient(host: "127.0.0.1", port: try #require(tester.port))
            client.connect()
            try await client.executeAndDontWaitForResponse(
                TestClient.Request(
                    path,
                    method: .post,
                    authority: "localhost",
                    body: ByteBuffer(string: body)
                )
            )
            await begun.first { _ in true }
            try await client.shutdown()
        }
    }

    @Test("A client that goes away ends its answer's stream", arguments: [streamed, ChatRoutesTests.hello])
    func midStream(body: String) async throws {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let (ended, end) = AsyncStream<Bool>.makeStream()
        let service = FakeEndpoints(text: { _ in
            AsyncThrowingStream { continuation in
                continuation.onTermination = { reason in
                    if case .cancelled = reason { end.yield(true) } else { end.yield(false) }
                }
                continuation.yield(.text("first", logProbabilities: []))
                begin.yield()
            }
        })
        try await self.hangUp(on: service, body: body, once: begun)
        #expect(await ended.first { _ in true } == true)
    }

    @Test("A client that goes away while it waits cancels the wait", arguments: [streamed, ChatRoutesTests.hello])
    func whileQueued(body: String) async throws {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let (ended, end) = AsyncStream<Void>.makeStream()
        let service = FakeEndpoints(text: { _ in
            let (never, _) = AsyncStream<Void>.makeStream()
            begin.yield()
            for await _ in never {}
            end.yield()
            throw CancellationError()
        })
        try await self.hangUp(on: service, body: body, once: begun)
        #expect(await ended.first { _ in true } != nil)
    }

    @Test(
        "A client that goes away while something else than a text is computed cancels that too",
        arguments: [
            ("/v1/embeddings", #"{"model": "desk", "input": "sofa"}"#), ("/v1/chains/desk", "{}"),
            ("/v1/chains/desk?stream=true", "{}"),
            (
                "/v2/models/desk/infer",
                #"{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}]}"#
            ),
        ]
    )
    func whileComputing(path: String, body: String) async throws {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let (ended, end) = AsyncStream<Void>.makeStream()
        let compute: @Sendable () async throws -> Never = {
            let (never, _) = AsyncStream<Void>.makeStream()
            begin.yield()
            for await _ in never {}
            end.yield()
            throw CancellationError()
        }
        let service = FakeEndpoints(
            embeddings: { _ in try await compute() },
            chain: { _ in try await compute() },
            tensors: { _ in try await compute() }
        )
        try await self.hangUp(on: service, at: path, body: body, once: begun)
        #expect(await ended.first { _ in true } != nil)
    }

    @Test("A server that shuts down lets a stream finish")
    func gracefulShutdown() async throws {
        let (started, start) = AsyncStream<Int>.makeStream()
        let (stream, continuation) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let service = FakeEndpoints(text: { _ in
            begin.yield()
            return stream
        })
        let server = GatewayServers(logger: Logger(label: "test")).dataPlane(
            makeDataPlane(service),
            at: .tcp(host: "127.0.0.1", port: 0),
            onStarted: { start.yield($0 ?? 0) }
        )
        let group = ServiceGroup(configuration: .init(services: [server], logger: Logger(label: "test")))
        async let running: Void = group.run()
        let port = try #require(await started.first { _ in true })
        let client = TestClient(host: "127.0.0.1", port: port)
        client.connect()
        async let response = client.execute(
            TestClient.Request(
                ChatRoutesTests.path,
                method: .post,
                authority: "localhost",
                body: ByteBuffer(string: Self.streamed)
            )
        )
        await begun.first { _ in true }
        await group.triggerGracefulShutdown()
        continuation.yield(.text("late", logProbabilities: []))
        continuation.yield(.finished(.stop, TokenUsage()))
        continuation.finish()
        let body = try await response.body.map { String(buffer: $0) } ?? ""
        #expect(body.contains("late"))
        #expect(body.hasSuffix("data: [DONE]\n\n"))
        try await running
        try await client.shutdown()
    }
}
