internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema

extension UpstreamFailure {
    /// What an error answer of a server means.
    init(refusal head: HTTPResponseHead, body: [UInt8], of endpoint: UpstreamEndpoint) {
        let told = ErrorBody(body)
        let words = told.message.map { ": \(endpoint.clean($0))" } ?? ""
        let said = "\(endpoint.url) answered \(head.status.code)\(words)"
        let retryAfter = Self.retryAfter(head.headers)
        switch head.status.code {
        case 402:
            self.init(.exhausted, said)
        case 429 where told.code == "insufficient_quota":
            self.init(.exhausted, said)
        case 429:
            self.init(.rateLimited, said, retryAfter: retryAfter)
        case 401, 403, 404, 405, 300..<400:
            self.init(.misconfigured, said)
        case 408, 409, 425, 500...:
            self.init(.unavailable, said, retryAfter: retryAfter)
        case 400..<500:
            let isTooLong = told.code == "context_length_exceeded"
            // Callers read this one, and are not told where their model is.
            let message = told.message.map(endpoint.anonymous) ?? "the model's server answered \(head.status.code)"
            self.init(isTooLong ? .tooLong : .rejected, message, parameter: told.parameter.map(endpoint.clean))
        default:
            self.init(.unavailable, "\(said), which is no answer")
        }
    }

    /// The seconds that a server asks to be left alone, by its own clock where it names a time; not below 0.
    private static func retryAfter(_ headers: HTTPHeaders) -> Int? {
        guard let value = headers.first(name: "retry-after") else { return nil }
        if let seconds = Int(value) { return max(0, seconds) }
        guard let time = HTTPDate(value), let now = headers.first(name: "date").flatMap({ HTTPDate($0) }) else {
            return nil
        }
        return max(0, time.seconds - now.seconds)
    }

    /// An answer that is not what the protocol says.
    init(nonsense problem: String, from endpoint: UpstreamEndpoint) {
        self.init(.unavailable, "\(endpoint.url) \(problem)")
    }

    /// An answer that has not begun in time.
    init(firstByteOf endpoint: UpstreamEndpoint, after limit: Duration) {
        self.init(.timedOut, "\(endpoint.url) did not begin its answer within \(Self.words(limit))")
    }

    private static func words(_ limit: Duration) -> String {
        ManifestDuration(milliseconds: Int64(limit / .milliseconds(1))).description
    }

    /// Any error on the way to a server and back.
    static func wrapping(_ error: any Error, of endpoint: UpstreamEndpoint, timeout: Duration) -> any Error {
        switch error {
        case is UpstreamFailure, is MartletError: return error
        case let error as HTTPClientError where error == .deadlineExceeded:
            return UpstreamFailure(.timedOut, "\(endpoint.url) did not finish its answer within \(Self.words(timeout))")
        case let error as HTTPClientError where error == .connectTimeout:
            return UpstreamFailure(.unavailable, "\(endpoint.url) cannot be reached: the connection took too long")
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            return UpstreamFailure(.unavailable, "\(endpoint.url) closed the connection before its answer ended")
        default:
            return UpstreamFailure(.unavailable, "\(endpoint.url) cannot be reached: \(endpoint.clean("\(error)"))")
        }
    }

    /// The error's words, in OpenAI's form or the Open Inference Protocol's.
    private struct ErrorBody {
        var message: String?
        var code: String?
        var parameter: String?

        init(_ body: [UInt8]) {
            guard let value = try? JSONValue(parsing: body, limits: JSONLimits(depth: 16)) else { return }
            let error = value["error"] ?? value
            self.message = error.string ?? error["message"]?.string
            self.code = error["code"]?.string
            self.parameter = error["param"]?.string
        }
    }
}
