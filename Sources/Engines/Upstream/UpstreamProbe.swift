internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Synchronization

/// Asks servers how they are by a request that costs them little, so that no caller's has to find out.
struct UpstreamProbe: Sendable {
    /// How long an answer may take, where an upstream's own timeout is not shorter.
    static let timeout = Duration.seconds(5)

    /// What is read, below a server's base path.
    let path: String
    let timeout: Duration

    init(path: String, timeout: Duration = UpstreamProbe.timeout) {
        self.path = path
        self.timeout = timeout
    }

    /// How a server is, with the reason where it is not well. Throws `CancellationError`.
    func ask(_ endpoint: UpstreamEndpoint) async throws -> (UpstreamBalance.Health, UpstreamFailure?) {
        do {
            let request = try endpoint.request(.GET, self.path, contentType: nil)
            let timeout = min(endpoint.timeout, self.timeout)
            let status = try await UpstreamClient.send(request, to: endpoint, timeout: timeout, StatusReader())
            switch status.code {
            case 200..<300: return (.well, nil)
            case 300..<400, 401, 403, 404, 405: return (.untold, nil)
            default: return (.ill, UpstreamFailure(.unavailable, "\(endpoint.url) answered \(status.code)"))
            }
        } catch let failure as UpstreamFailure {
            return (failure.kind == .timedOut ? .silent : .away, failure)
        }
    }
}

/// Reads no more of an answer than its status.
private final class StatusReader: HTTPClientResponseDelegate {
    private let status = Mutex<HTTPResponseStatus?>(nil)

    func didReceiveHead(
        task: HTTPClient.Task<HTTPResponseStatus>,
        _ head: HTTPResponseHead
    ) -> EventLoopFuture<Void> {
        self.status.withLock { $0 = head.status }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<HTTPResponseStatus>) throws -> HTTPResponseStatus {
        guard let status = self.status.withLock({ $0 }) else { throw HTTPClientError.remoteConnectionClosed }
        return status
    }
}
