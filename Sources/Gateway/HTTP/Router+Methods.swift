internal import HTTPTypes
internal import Hummingbird

/// A known path that was asked with a method it does not have.
struct MethodNotAllowed: Error {
    /// What the path does have.
    let allowed: [HTTPRequest.Method]
}

extension Router {
    /// Answers every other method than `allowed` on a path by throwing ``MethodNotAllowed``; `HEAD` follows `GET`.
    func refuseOtherMethods(_ path: RouterPath, allowed: [HTTPRequest.Method]) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        let allowed = allowed.contains(.get) ? allowed + [.head] : allowed
        for method in known where !allowed.contains(method) {
            self.on(path, method: method) { _, _ -> Response in throw MethodNotAllowed(allowed: allowed) }
        }
    }
}
