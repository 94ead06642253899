/// What the control loop has done since the process started.
package struct LoopMetrics: Sendable, Hashable {
    /// How often the planner was asked.
    package var plans = 0
    /// How long it worked for that.
    package var planning = Duration.zero
    /// Transactions of the loop in the control database.
    package var writes = 0
    /// Endpoints that are not settled now.
    package var openEndpoints = 0
    /// How many replicas each variant is to have that is scaled by how much there is to do.
    package var wantedReplicas: [VariantID: Int] = [:]

    package init() {}
}
