/// What is in memory of one instance at this moment, and when requests used it last: for people, since no decision
/// follows from it.
package struct InstanceUse: Sendable, Hashable {
    /// Nil: nothing is in memory, and nothing waits for it.
    package var observation: InstanceObservation?
    /// Whether it is in memory, or was since somebody began to lease it.
    package var wasLoaded: Bool
    /// When a request used it last: for an eager one, when that began; for a lazy one, when it ended, or now while there is
    /// one. Nil: none is remembered.
    package var lastUsed: Timestamp?

    package init(observation: InstanceObservation?, wasLoaded: Bool = false, lastUsed: Timestamp? = nil) {
        self.observation = observation
        self.wasLoaded = wasLoaded
        self.lastUsed = lastUsed
    }
}
