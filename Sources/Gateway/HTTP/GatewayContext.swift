internal import Hummingbird

/// What a request carries through the router, beside itself.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// `x-request-id`, accepted or made; set before any route runs.
    var requestID: String

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.requestID = ""
    }
}
