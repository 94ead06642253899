import Foundation
import Glibc
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

/// The limits of a listener, seen from a socket.
@Suite("Limits", .timeLimit(.minutes(1)))
struct LimitTests {
    /// A listener of two routes: `/` answers a request with its body's size, `/endless` writes until it is stopped.
    private static func serve(
        _ limits: ConnectionLimits,
        _ router: Router<GatewayContext>? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        written: AsyncStream<Bool>.Continuation? = nil,
        _ test: (_ port: Int) async throws -> Void
    ) async throws {
        let (started, start) = AsyncStream<Int>.makeStream()
        let server = GatewayServer(
            router ?? Self.routes(written: written),
            at: .tcp(host: "127.0.0.1", port: 0),
            limits: limits,
            logger: logger,
            onStarted: { start.yield($0 ?? 0) }
        )
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        async let running: Void = group.run()
        try await test(try #require(await started.first { _ in true }))
        await group.triggerGracefulShutdown()
        try await running
    }

    private static func routes(written: AsyncStream<Bool>.Continuation?) -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self)
        router.post("/") { request, _ in "\(try await request.bodyBytes(upTo: 1 << 20).count)" }
        router.get("/endless") { _, _ in
            Response.eventStream { writer in
                do {
                    while true { try await writer.write(ByteBuffer(repeating: 0x20, count: 1 << 16)) }
                } catch {
                    written?.yield(true)
                    throw error
                }
            }
        }
        return router
    }

    /// Sends a text, and reads until the server closes the connection or `count` bytes are there.
    private static func exchange(_ text: String, port: Int, atMost count: Int = .max) async throws -> String {
        let client = try Self.connect(port)
        _ = send(client, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        // A thread of its own may block.
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var (received, piece) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
                while received.count < count {
                    let size = recv(client, &piece, piece.count, 0)
                    guard size > 0 else { break }
                    received += piece.prefix(size)
                }
                close(client)
                continuation.resume(returning: String(decoding: received, as: UTF8.self))
            }
        }
    }

    private static func connect(_ port: Int) throws -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(port).bigEndian
        let isConnected = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isConnected)
        return client
    }

    @Test("Half a head is not waited for")
    func slowHead() async throws {
        try await Self.serve(ConnectionLimits(headTime: .milliseconds(1))) { port in
            let answer = try await Self.exchange("POST / HTTP/1.1\r\nHost: he", port: port)
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(answer.lowercased().contains("connection: close"))
        }
    }

    @Test("Half a body is not waited for")
    func slowBody() async throws {
        try await Self.serve(ConnectionLimits(bodyTime: .milliseconds(1))) { port in
            let half = "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nab"
            let answer = try await Self.exchange(half, port: port)
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("A head that is too large is refused, be it one field or many", arguments: [1, 100])
    func largeHead(fields: Int) async throws {
        try await Self.serve(ConnectionLimits(headTime: .seconds(600), headBytes: 4096)) { port in
            let field = String(repeating: "x", count: 8192 / fields)
            let head = (0..<fields).map { "x-\($0): \(field)\r\n" }.joined()
            let answer = try await Self.exchange("POST / HTTP/1.1\r\nHost: here\r\n\(head)\r\n", port: port, atMost: 12)
            #expect(answer.hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test("A connection that is one too many is refused")
    func tooMany() async throws {
        try await Self.serve(ConnectionLimits(connections: 1)) { port in
            let whole = "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nab"
            let first = try Self.connect(port)
            defer { close(first) }
            // Its answer shows that the server has taken it.
            _ = send(first, whole, whole.utf8.count, Int32(MSG_NOSIGNAL))
            var byte: UInt8 = 0
            #expect(recv(first, &byte, 1, 0) == 1)
            let answer = try await Self.exchange(whole, port: port)
            #expect(answer.hasPrefix("HTTP/1.1 503 "))
            #expect(answer.lowercased().contains("retry-after: 1"))
        }
    }

    static let nonsense = [
        "GET /nowhere HTTP/1.1\r\nHost: here\r\n\r\n", "GET /v1/chat/completions HTTP/1.1\r\nHost: here\r\n\r\n",
        "nonsense\r\n\r\n", "GET / HTTP/7.9\r\n\r\n", Self.post("[", length: "1"), Self.post("", length: "x"),
        Self.post("", length: "4294967296"), Self.post(#"{"model":"none","messages":[]}"#, length: "30"),
    ]

    private static func post(_ body: String, length: String) -> String {
        "POST /v1/chat/completions HTTP/1.1\r\nHost: here\r\nContent-Length: \(length)\r\n\r\n\(body)"
    }

    @Test("Requests that are refused leave nothing in the log", arguments: nonsense)
    func silence(_ request: String) async throws {
        let log = LogRecorder(from: .info)
        let router = makeDataPlane(FakeEndpoints()).makeRouter()
        try await Self.serve(
            ConnectionLimits(headTime: .seconds(600), bodyTime: .seconds(600)),
            router,
            logger: log.logger
        ) { port in
            let before = log.events.count
            for _ in 0..<3 {
                let answer = try await Self.exchange(request, port: port, atMost: 12)
                #expect(answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            }
            #expect(log.events.dropFirst(before).map(\.message.description) == [])
        }
    }

    @Test("A client that does not read ends its answer")
    func stalled() async throws {
        let (written, write) = AsyncStream<Bool>.makeStream()
        let log = LogRecorder(from: .warning)
        try await Self.serve(ConnectionLimits(stallTime: .milliseconds(1)), logger: log.logger, written: write) {
            port in
            let client = try Self.connect(port)
            defer { close(client) }
            let request = "GET /endless HTTP/1.1\r\nHost: here\r\n\r\n"
            _ = send(client, request, request.utf8.count, Int32(MSG_NOSIGNAL))
            #expect(await written.first { _ in true } == true)
        }
        let messages = log.events.map(\.message.description)
        #expect(messages.contains("a client does not read its answer: the connection was closed"))
    }
}
