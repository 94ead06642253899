internal import HTTPTypes
internal import Hummingbird
internal import Planning
internal import Schema
internal import Serving

/// `GET /v1/models` and `GET /v1/models/{id}`: the endpoints that the caller may use.
struct ModelRoutes: Sendable {
    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        router.get("/v1/models") { _, _ in
            let listings = self.plane.service.listings(for: self.plane.caller)
            return Response.json(["object": "list", "data": .array(listings.map { self.model($0) })])
        }
        router.get("/v1/models/{model}") { _, context in
            // Names hold only letters, digits and hyphens, so the slash is all that a client may have escaped.
            let id = try context.parameters.require("model").replacing("%2F", with: "/").replacing("%2f", with: "/")
            return try self.answer(id, separator: id.contains("/") ? "/" : ".")
        }
        // Some clients put an id with a slash into the path as it is.
        router.get("/v1/models/{model}/{name}") { _, context in
            let parts = try (context.parameters.require("model"), context.parameters.require("name"))
            return try self.answer("\(parts.0)/\(parts.1)", separator: "/")
        }
        for path in ["/v1/models", "/v1/models/{model}", "/v1/models/{model}/{name}"] {
            router.refuseOtherMethods(RouterPath(path), allowed: [.get])
        }
    }

    private func answer(_ id: String, separator: Character) throws -> Response {
        let listing = try self.plane.listing(id, separator: separator)
        var response = Response.json(self.model(listing))
        response.headers[.martletRevision] = listing.revision.description
        return response
    }

    private func model(_ listing: EndpointListing) -> JSONValue {
        [
            "id": .string(self.plane.modelName(of: listing.name)),
            "object": "model",
            "created": .integer(listing.since.milliseconds / 1000),
            "owned_by": .string(listing.name.namespace),
        ]
    }
}
