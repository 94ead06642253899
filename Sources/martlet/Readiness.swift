internal import Controller
internal import Gateway
internal import Planning
internal import Schema

/// Ready when every endpoint that must serve, serves.
enum Readiness {
    static func report(of reconciler: Reconciler) async -> ReadinessReport {
        guard let status = try? await reconciler.status() else {
            return ReadinessReport(problems: ["the controller's status cannot be read"])
        }
        guard status.source.commit != nil else {
            return ReadinessReport(problems: ["no commit is read yet"])
        }
        let silent = status.endpoints.flatMap { endpoint in
            endpoint.variants.filter { $0.serving.isEmpty && $0.desired != nil }.map(\.variant)
        }
        return ReadinessReport(problems: silent.map { "\($0) does not serve yet" })
    }
}
