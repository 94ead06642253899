internal import HTTPTypes
internal import Hummingbird
internal import Schema

/// Whether the server, or one endpoint, is there and ready, in the words of all clients: some look at the status, some
/// at `live`, some at `ready`.
struct HealthAnswer {
    var isReady: Bool
    /// What a server that is not ready waits for.
    var reason = ""
    /// The endpoint that this is about; nil for the whole server.
    var model: String?

    /// 200, or 503 where it is not ready.
    var response: Response {
        var members: [String: JSONValue] = ["live": true, "ready": .bool(self.isReady)]
        if let model { members["name"] = .string(model) }
        guard !self.isReady else { return .json(.object(members)) }
        members["error"] = .string(self.reason)
        var response = Response.json(.object(members), status: .serviceUnavailable)
        response.headers[.retryAfter] = "1"
        return response
    }
}
