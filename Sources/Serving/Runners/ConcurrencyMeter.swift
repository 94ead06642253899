/// Averages how many requests there are at once, each number by how long it lasts. Pure.
struct ConcurrencyMeter: Sendable, Hashable {
    private var count: Int
    /// When the count was noted last.
    private var noted: Duration
    /// When the average was taken last.
    private var begun: Duration
    /// Requests times seconds since then.
    private var requestSeconds = 0.0

    /// - Parameter now: On a time line that all calls share.
    init(_ count: Int, at now: Duration) {
        self.count = count
        (self.noted, self.begun) = (now, now)
    }

    /// From now on there are so many.
    mutating func note(_ count: Int, at now: Duration) {
        self.requestSeconds += Double(self.count) * ((now - self.noted) / .seconds(1))
        (self.count, self.noted) = (count, now)
    }

    /// The average since the last call; the count itself where no time has passed.
    mutating func takeAverage(at now: Duration) -> Double {
        self.note(self.count, at: now)
        defer { (self.requestSeconds, self.begun) = (0, now) }
        let seconds = (now - self.begun) / .seconds(1)
        return seconds > 0 ? self.requestSeconds / seconds : Double(self.count)
    }
}
