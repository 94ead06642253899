internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema

/// Sends requests to servers elsewhere over connections that the whole process shares.
enum UpstreamClient {
    /// Certificates are verified and redirects are not followed: a key goes nowhere but where the manifest says. It
    /// lives as long as the process.
    static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10))
        )
        // Whether to try again is decided here, and how many requests there are at once by the endpoints.
        configuration.connectionPool.retryConnectionEstablishment = false
        // To look for a tracer that is not there costs each request more than to write its head.
        configuration.tracing.tracer = nil
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4096
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Sends a request and gives the answer's body to `exchange`, on the connection's own thread. Cancelling tears the
    /// request down. Throws ``UpstreamFailure``, what the exchange's reader throws, or `CancellationError`.
    ///
    /// - Parameter timeout: for all of it, from the connection to the last byte.
    static func send(
        _ request: HTTPClient.Request,
        to endpoint: UpstreamEndpoint,
        timeout: Duration,
        _ exchange: UpstreamExchange
    ) async throws {
        let task = Self.start(request, timeout: timeout, exchange)
        do {
            try await withTaskCancellationHandler {
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

    private static func start(
        _ request: HTTPClient.Request,
        timeout: Duration,
        _ exchange: UpstreamExchange
    ) -> HTTPClient.Task<Void> {
        self.http.execute(request: request, delegate: exchange, deadline: .now() + TimeAmount(timeout))
    }
}
