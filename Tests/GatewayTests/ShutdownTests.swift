import Glibc
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

/// What a listener does about clients that are there when it is told to stop.
@Suite("Shutdown", .timeLimit(.minutes(1)))
struct ShutdownTests {
    private static let half = "POST /half HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nab"

    /// A server of one route that reads a body of four bytes, and a client that has sent two of them by now.
    private struct HalfRequest {
        let group: ServiceGroup
        let client: Int32
        /// What the route got; nil where the body broke off.
        let outcome: AsyncStream<[UInt8]?>
        let started: AsyncStream<Int>
        let begun: AsyncStream<Void>

        init(patience: Duration, limit: Duration? = nil, logger: Logger = Logger(label: "test")) {
            let (outcome, finish) = AsyncStream<[UInt8]?>.makeStream()
            let (started, start) = AsyncStream<Int>.makeStream()
            let (begun, begin) = AsyncStream<Void>.makeStream()
            let router = Router(context: GatewayContext.self)
            router.post("/half") { request, _ -> HTTPResponse.Status in
                begin.yield()
                finish.yield(try? await request.bodyBytes(upTo: 100))
                return .ok
            }
            let server = GatewayServer(
                router,
                at: .tcp(host: "127.0.0.1", port: 0),
                limits: ConnectionLimits(idleTime: .seconds(600), bodyTime: .seconds(600)),
                shutdownPatience: patience,
                logger: logger,
                onStarted: { start.yield($0 ?? 0) }
            )
            var configuration = ServiceGroupConfiguration(services: [server], logger: logger)
            configuration.maximumGracefulShutdownDuration = limit
            self.group = ServiceGroup(configuration: configuration)
            self.client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            (self.outcome, self.started, self.begun) = (outcome, started, begun)
        }

        /// Sends the first half once the server listens, and tells the server to stop once it waits for the rest.
        func sendHalf() async throws {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            address.sin_port = UInt16(try #require(await self.started.first { _ in true })).bigEndian
            let isConnected = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(self.client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            try #require(isConnected)
            self.send(ShutdownTests.half)
            await self.begun.first { _ in true }
            await self.group.triggerGracefulShutdown()
        }

        func send(_ text: String) {
            _ = Glibc.send(self.client, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        }
    }

    @Test("A client that does not go on sending its request is not waited for")
    func stalledRequest() async throws {
        let request = HalfRequest(patience: .milliseconds(1))
        defer { close(request.client) }
        async let running: Void = request.group.run()
        try await request.sendHalf()
        #expect(await request.outcome.first { _ in true } == .some(nil))
        try await running
    }

    @Test("A client that goes on sending its request is waited for")
    func slowRequest() async throws {
        let request = HalfRequest(patience: .seconds(600))
        defer { close(request.client) }
        async let running: Void = request.group.run()
        try await request.sendHalf()
        request.send("cd")
        #expect(await request.outcome.first { _ in true } == Array("abcd".utf8))
        try await running
    }

    /// Fails once something has begun.
    private struct Failure: Service {
        let begun: AsyncStream<Void>

        func run() async throws {
            await self.begun.first { _ in true }
            throw CancellationError()
        }
    }

    @Test("A listener that ends because something else has failed says nothing of it", arguments: 0..<20)
    func ended(_ number: Int) async throws {
        let log = LogRecorder(from: .warning)
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let server = GatewayServer(
            Router(context: GatewayContext.self),
            at: .tcp(host: "127.0.0.1", port: 0),
            limits: ConnectionLimits(idleTime: .seconds(600)),
            logger: log.logger,
            onStarted: { _ in begin.yield() }
        )
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [server, Failure(begun: begun)],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        await #expect(throws: CancellationError.self) { try await group.run() }
        #expect(log.events.map(\.message.description) == [])
    }

    @Test("A listener that is cut off says so once, in words")
    func cutOff() async throws {
        let log = LogRecorder(from: .warning)
        let request = HalfRequest(patience: .seconds(600), limit: .milliseconds(1), logger: log.logger)
        defer { close(request.client) }
        async let running: Void = request.group.run()
        try await request.sendHalf()
        #expect(await request.outcome.first { _ in true } == .some(nil))
        try? await running
        let complaints = log.events.map(\.message.description)
        #expect(complaints == ["the shutdown has taken too long: the requests still open here were cut off"])
    }
}
