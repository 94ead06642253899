internal import HTTPTypes
internal import Hummingbird
internal import Planning
internal import Schema

/// What operators can see: the routes that change nothing.
struct AdminQueries: Sendable {
    let plane: AdminPlane

    func register(on router: Router<GatewayContext>) {
        self.registerResources(on: router)
        self.registerRecords(on: router)
        self.get("status", on: router) { _ in try Response.json(coding: await self.plane.commands.status()) }
        self.get("plan", on: router) { _ in try Response.json(coding: await self.plane.commands.plan()) }
        self.get("engines", on: router) { _ in try Response.json(coding: await self.plane.commands.engines()) }
        self.get("openapi.json", on: router) { _ in Response.json(OpenAPIDocument.value) }
    }

    private func registerResources(on router: Router<GatewayContext>) {
        self.get("resources", knows: ["kind", "namespace", "label", "limit", "continue"], on: router) { query in
            let selector = try LabelSelector(query.all("label"))
            let page = try await self.plane.commands.resources(
                ResourceQuery(
                    kind: try query.kind("kind"),
                    namespace: try query.text("namespace"),
                    limit: try query.integer("limit", in: 1...10_000).map { Int($0) },
                    after: try query.continueToken("continue")
                )
            )
            var response = try Response.json(coding: page.resources.filter { selector.matches($0.labels) })
            response.headers[.martletContinue] = page.next.map { ContinueToken.text(after: $0) }
            return response
        }
        self.get("manifests", knows: ["kind", "namespace"], on: router) { query in
            try Response.json(
                coding: await self.plane.commands.manifests(
                    kind: try query.kind("kind"),
                    namespace: try query.text("namespace")
                )
            )
        }
        let path: RouterPath = "/api/v1/resources/{kind}/{namespace}/{name}"
        router.get(path) { request, context in
            _ = try AdminQuery(request, knows: [])
            let identity = ResourceIdentity(
                try Kind(adminWord: context.parameters.require("kind")),
                namespace: try context.parameters.require("namespace"),
                name: try context.parameters.require("name")
            )
            return try Response.json(coding: await self.plane.commands.resource(identity))
        }
        router.refuseOtherMethods(path, allowed: [.get])
    }

    private func registerRecords(on router: Router<GatewayContext>) {
        self.get("history", knows: ["variant", "limit"], on: router) { query in
            try Response.json(
                coding: await self.plane.commands.history(
                    of: try query.variant("variant"),
                    limit: try query.limit(otherwise: 50)
                )
            )
        }
        self.get("holds", on: router) { _ in try Response.json(coding: await self.plane.commands.holds()) }
        self.get("rollouts", on: router) { _ in
            let endpoints = try await self.plane.commands.resources(kind: .endpoint, namespace: nil)
            return try Response.json(coding: endpoints.flatMap(\.variants).filter { $0.rollout != nil })
        }
        self.get("audit", knows: ["limit"], on: router) { query in
            try Response.json(coding: await self.plane.commands.audit(limit: try query.limit(otherwise: 100)))
        }
        self.get("audit/verify", on: router) { _ in
            try Response.json(coding: await self.plane.commands.verifyAudit())
        }
    }

    private func get(
        _ name: String,
        knows names: [String] = [],
        on router: Router<GatewayContext>,
        _ answer: @escaping @Sendable (AdminQuery) async throws -> Response
    ) {
        let path = RouterPath("/api/v1/\(name)")
        router.get(path) { request, _ in try await answer(AdminQuery(request, knows: names)) }
        router.refuseOtherMethods(path, allowed: [.get])
    }
}

extension AdminQuery {
    /// `limit`, from 1 to 10,000.
    func limit(otherwise standard: Int) throws -> Int {
        Int(try self.integer("limit", in: 1...10_000) ?? Int64(standard))
    }
}
