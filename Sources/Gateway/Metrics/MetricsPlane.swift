internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Schema

/// Whether everything that must serve, serves.
package struct ReadinessReport: Sendable, Hashable {
    /// What stands in the way, a sentence each; empty when ready.
    package var problems: [String]

    package init(problems: [String] = []) {
        self.problems = problems
    }

    package var isReady: Bool { self.problems.isEmpty }
}

/// What the metrics listener works with: `/metrics`, `/livez` and `/readyz`.
package struct MetricsPlane: Sendable {
    package var metrics: MetricsSource
    package var readiness: @Sendable () async -> ReadinessReport

    package init(metrics: @escaping MetricsSource, readiness: @escaping @Sendable () async -> ReadinessReport) {
        self.metrics = metrics
        self.readiness = readiness
    }

    func makeRouter() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        router.get("/metrics") { _, _ in
            let text = PrometheusText.encode(await self.metrics())
            return Response.json(ByteBuffer(string: text), contentType: PrometheusText.contentType)
        }
        // An answer at all shows that the process lives.
        router.get("/livez") { _, _ in Response.json(["live": true]) }
        router.get("/readyz") { _, _ in
            let report = await self.readiness()
            return Response.json(
                ["ready": .bool(report.isReady), "problems": .array(report.problems.map { .string($0) })],
                status: report.isReady ? .ok : .serviceUnavailable
            )
        }
        for path in ["/metrics", "/livez", "/readyz"] {
            router.refuseOtherMethods(RouterPath(path), allowed: [.get])
        }
        return router
    }
}
