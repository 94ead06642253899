/// Measures how long ago it was made.
package struct Stopwatch: Sendable {
    private let read: @Sendable () -> Duration

    package init(_ clock: any Clock<Duration>) {
        self.read = Stopwatch.reader(clock)
    }

    /// The time since the stopwatch was made.
    package var elapsed: Duration { self.read() }

    private static func reader<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
