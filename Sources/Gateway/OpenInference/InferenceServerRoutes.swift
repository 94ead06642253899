internal import HTTPTypes
internal import Hummingbird
internal import Planning
internal import Schema
internal import Serving

/// The Open Inference Protocol V2 for the server as a whole, and the index of its endpoints.
struct InferenceServerRoutes: Sendable {
    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        router.get("/v2") { _, _ in
            Response.json([
                "name": "martlet", "version": .string(self.plane.version),
                "extensions": ["binary_tensor_data", "schedule_policy", "generate"],
            ])
        }
        router.get("/v2/health/live") { _, _ in Response.json(["live": true]) }
        router.get("/v2/health/ready") { _, _ in self.readiness().response }
        // Triton's clients post, with no body or with `{"ready": true}` for those alone that are ready.
        router.get("/v2/repository/index") { _, _ in self.index(onlyReady: false) }
        router.post("/v2/repository/index") { request, _ in
            let body = try await request.bodyBytes(upTo: 1024)
            guard !body.isEmpty else { return self.index(onlyReady: false) }
            let reader = try ParameterReader(body: body)
            try ParameterRules(honoured: ["ready"]).check(reader)
            return self.index(onlyReady: try reader.boolean("ready") ?? false)
        }
        for path in ["/v2", "/v2/health/live", "/v2/health/ready"] {
            router.refuseOtherMethods(RouterPath(path), allowed: [.get])
        }
        router.refuseOtherMethods("/v2/repository/index", allowed: [.get, .post])
        for (path, refusal) in Self.refusals {
            for method in [HTTPRequest.Method.get, .post] {
                router.on(RouterPath(path), method: method) { _, _ -> Response in throw refusal }
            }
        }
    }

    private func readiness() -> HealthAnswer {
        let waiting = self.plane.service.readiness(for: self.plane.caller).filter { !$0.isReady }
        let names = waiting.prefix(3).map { "\(self.plane.pathName(of: $0.name)): \($0.reason)" }
        let more = waiting.count > names.count ? ", and \(waiting.count - names.count) more" : ""
        return HealthAnswer(isReady: waiting.isEmpty, reason: names.joined(separator: ", ") + more)
    }

    private func index(onlyReady: Bool) -> Response {
        let endpoints = self.plane.service.readiness(for: self.plane.caller).filter { $0.isReady || !onlyReady }
        return Response.json(
            .array(
                endpoints.map { endpoint in
                    [
                        "name": .string(self.plane.pathName(of: endpoint.name)),
                        "version": .string(endpoint.revision?.description ?? ""),
                        "state": endpoint.isReady ? "READY" : "UNAVAILABLE",
                        "reason": .string(endpoint.reason),
                    ]
                }
            )
        )
    }

    /// What Triton has besides, and why Martlet has not.
    private static let refusals: [(path: String, refusal: OpenAIError)] = {
        let settings = ["config", "stats", "trace/setting"]
        let table = [
            Refusal(
                ["/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"],
                status: 403,
                code: "decided_by_git",
                "Git says which models are loaded: change the manifest and commit, or see `martlet sync`."
            ),
            Refusal(
                ["/v2/systemsharedmemory/**", "/v2/cudasharedmemory/**"],
                status: 404,
                code: "not_found",
                "Martlet shares no memory with its callers; send tensors in the body, as JSON or as binary data."
            ),
            Refusal(
                ["/v2/trace/setting", "/v2/logging"]
                    + InferenceRoutes.paths.flatMap { path in settings.map { "\(path)/\($0)" } },
                status: 404,
                code: "not_found",
                "Martlet has no settings to change over HTTP; see `martlet run --help`, /metrics and the admin API."
            ),
        ]
        return table.flatMap { row in row.paths.map { ($0, row.error) } }
    }()

    /// Paths that are refused for one reason.
    private struct Refusal {
        let paths: [String]
        let error: OpenAIError

        init(_ paths: [String], status: Int, code: String, _ message: String) {
            self.paths = paths
            self.error = OpenAIError(status: status, message, code: code)
        }
    }
}

extension DataPlane {
    /// An endpoint as paths name it: `desk`, or `shop.desk` in another namespace.
    func pathName(of endpoint: EndpointName) -> String {
        endpoint.namespace == self.defaultNamespace ? endpoint.name : "\(endpoint.namespace).\(endpoint.name)"
    }
}
