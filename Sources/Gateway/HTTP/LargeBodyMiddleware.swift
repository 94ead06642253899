internal import HTTPTypes
internal import Hummingbird

/// Takes requests with large bodies off their connections' own threads: to read what is in them, and to compute answers of
/// that size, keeps a thread busy for so long that its other connections would notice.
struct LargeBodyMiddleware: RouterMiddleware {
    /// In bytes; some hundred microseconds of JSON.
    static let limit = 64 << 10

    func handle(
        _ request: Request,
        context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        guard context.executor != nil, Self.mayBeLarge(request) else { return try await next(request, context) }
        var context = context
        context.executor = nil
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await next(request, context) }
    }

    /// One that does not say how long it is may be.
    static func mayBeLarge(_ request: Request) -> Bool {
        if let length = request.headers[.contentLength] { return (Int(length) ?? .max) > Self.limit }
        return request.headers[.transferEncoding] != nil
    }
}
