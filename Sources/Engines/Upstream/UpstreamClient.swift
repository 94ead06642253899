internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Planning
internal import Schema

/// How long an answer may take to begin.
struct FirstByteLimit: Sendable {
    let time: Duration
    /// Whether the first byte has come.
    let hasCome: @Sendable () -> Bool
}

/// Sends requests to servers elsewhere over connections that the whole process shares.
enum UpstreamClient {
    /// A client for each event loop, with connections of its own: whoever asks from the thread of one is answered there,
    /// and no thread has to wake another one. They live as long as the process.
    private static let clients = MultiThreadedEventLoopGroup.singleton.makeIterator().map { loop in
        (loop: loop, client: Self.client(on: loop))
    }

    /// The client of the loop that runs on this thread, or of any where none does.
    private static var client: HTTPClient {
        (self.clients.first { $0.loop.inEventLoop } ?? self.clients[.random(in: self.clients.indices)]).client
    }

    /// Certificates are verified and redirects are not followed: a key goes nowhere but where the manifest says.
    private static func client(on group: any EventLoopGroup) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10))
        )
        // Whether to try again is decided here, and how many requests there are at once by the endpoints.
        configuration.connectionPool.retryConnectionEstablishment = false
        // To look for a tracer that is not there costs each request more than to write its head.
        configuration.tracing.tracer = nil
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4096
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(FlushJoiner(), position: .first)
            }
        }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// Sends a request and gives the answer to `exchange`, on the connection's own thread. Cancelling tears the
    /// request down. Throws ``UpstreamFailure``, what the exchange's reader throws, or `CancellationError`.
    ///
    /// - Parameters:
    ///   - timeout: for all of it, from the connection to the last byte.
    ///   - firstByte: a limit of its own for the beginning of the answer.
    @discardableResult
    static func send<Exchange: HTTPClientResponseDelegate>(
        _ request: HTTPClient.Request,
        to endpoint: UpstreamEndpoint,
        timeout: Duration,
        firstByte: FirstByteLimit? = nil,
        _ exchange: Exchange
    ) async throws -> Exchange.Response {
        let task = Self.start(request, timeout: timeout, exchange)
        let alarm = firstByte.map { limit in
            task.eventLoop.scheduleTask(in: TimeAmount(limit.time)) {
                if !limit.hasCome() { task.fail(reason: UpstreamFailure(firstByteOf: endpoint, after: limit.time)) }
            }
        }
        defer { alarm?.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.get()
            } onCancel: {
                task.cancel()
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw UpstreamFailure.wrapping(error, of: endpoint, timeout: timeout)
        }
    }

    /// The same for a thread that may block.
    static func sendAndBlock(
        _ request: HTTPClient.Request,
        to endpoint: UpstreamEndpoint,
        timeout: Duration,
        _ exchange: UpstreamExchange
    ) throws {
        do {
            try Self.start(request, timeout: timeout, exchange).wait()
        } catch {
            throw UpstreamFailure.wrapping(error, of: endpoint, timeout: timeout)
        }
    }

    private static func start<Exchange: HTTPClientResponseDelegate>(
        _ request: HTTPClient.Request,
        timeout: Duration,
        _ exchange: Exchange
    ) -> HTTPClient.Task<Exchange.Response> {
        self.client.execute(request: request, delegate: exchange, deadline: .now() + TimeAmount(timeout))
    }
}
