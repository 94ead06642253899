internal import Hummingbird

/// What a request carries through the router, beside itself.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// `x-request-id`, accepted or made; set before any route runs.
    var requestID: String
    /// Runs what is done for the request; nil: any thread does.
    var executor: EventLoopExecutor?

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.requestID = ""
        self.executor = OpenConnection.current?.executor
    }
    /// Writes an answer out of so many bytes of results, off the connection's own thread where these are many.
    func encode<Answer>(_ bytes: Int, _ encode: () throws -> sending Answer) async throws -> Answer {
        guard self.executor != nil, bytes > LargeBodyMiddleware.limit else { return try encode() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try encode() }
    }
}
