internal import HTTPTypes
internal import Hummingbird

/// Makes identifiers of requests and answers; a parameter, so that tests know them beforehand.
package typealias IdentifierSource = @Sendable () -> String

/// The rules of `x-request-id`.
package enum RequestIdentity {
    /// Whether a caller's id is used as it is: 1 to 128 visible ASCII characters.
    package static func isAcceptable(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// A fresh identifier: 32 random hexadecimal digits.
    package static func random() -> String {
        let halves = [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)]
        return halves.map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// Gives every request an id, and every answer the id of its request.
struct RequestIdentityMiddleware: RouterMiddleware {
    let identifiers: IdentifierSource

    func handle(
        _ request: Request,
        context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let given = request.headers[.requestID], RequestIdentity.isAcceptable(given) {
            context.requestID = given
        } else {
            context.requestID = self.identifiers()
        }
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        return response
    }
}
