internal import HTTPTypes
internal import Hummingbird

extension DataPlane {
    /// Every route of the data plane.
    func makeRouter() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestIdentityMiddleware(identifiers: self.identifiers))
        router.add(middleware: OpenAIErrorMiddleware())
        router.add(middleware: LargeBodyMiddleware())
        TextRoutes(plane: self).register(on: router)
        ResponseRoutes(plane: self).register(on: router)
        EmbeddingRoutes(plane: self).register(on: router)
        ModelRoutes(plane: self).register(on: router)
        ChainRoutes(plane: self).register(on: router)
        InferenceServerRoutes(plane: self).register(on: router)
        InferenceRoutes(plane: self).register(on: router)
        GenerateRoutes(plane: self).register(on: router)
        if let records { FeedbackRoutes(plane: self, records: records).register(on: router) }
        router.get("/openapi.json") { _, _ in Response.json(OpenAPIDocument.value) }
        router.refuseOtherMethods("/openapi.json", allowed: [.get])
        return router
    }
}
