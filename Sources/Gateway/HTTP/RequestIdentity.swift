internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import Synchronization

/// Makes identifiers of requests and answers; a parameter, so that tests know them beforehand.
package typealias IdentifierSource = @Sendable () -> String

/// The rules of `x-request-id`.
package enum RequestIdentity {
    /// Whether a caller's id is used as it is: 1 to 128 visible ASCII characters.
    package static func isAcceptable(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// A fresh identifier: 32 hexadecimal digits that nobody can guess.
    package static func random() -> String {
        let number = Self.entropy.withLock { $0.next() }
        return String(unsafeUninitializedCapacity: 32) { digits in
            for index in 0..<32 {
                let digit = UInt8(truncatingIfNeeded: number >> (4 * (31 - index))) & 0xF
                digits[index] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            }
            return 32
        }
    }

    private static let entropy = Mutex(Entropy())

    /// Random numbers of the system, fetched some at a time: asking for each takes longer than a small request.
    private struct Entropy {
        private var numbers: [UInt128] = []

        mutating func next() -> UInt128 {
            if let number = self.numbers.popLast() { return number }
            // The most that the system gives at once is 256 bytes, and it fails for nothing but more.
            self.numbers = Array(repeating: 0, count: 16)
            precondition(getentropy(&self.numbers, 256) == 0, "the system gives no random numbers")
            return self.numbers.removeLast()
        }
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
