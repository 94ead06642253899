internal import Controller
internal import Gateway

/// Ready when every endpoint that can serve, serves.
enum Readiness {
    static func report(of reconciler: Reconciler) async -> ReadinessReport {
        ReadinessReport(problems: await reconciler.obstaclesToReadiness())
    }
}
