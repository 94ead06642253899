/// How many requests a variant has at once: those that replicas work on, and those that wait for one.
package struct RequestDemand: Sendable, Hashable {
    /// Over the time since the look before, weighted by how long each number lasted.
    package var average: Double
    /// At this moment.
    package var now: Int

    package init(average: Double, now: Int) {
        self.average = average
        self.now = now
    }

    /// The same number all the time.
    package init(steadily count: Int) {
        self.init(average: Double(count), now: count)
    }

    /// Nobody asks.
    package static let nothing = RequestDemand(steadily: 0)
}
