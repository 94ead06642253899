import Planning
import Synchronization
import TestSupport

/// A clock on which sleeping takes no time but moves the wall clock on: waits are over as soon as they begin.
final class SleepingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Swift.Duration

        func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: self.offset + duration) }
        func duration(to other: Instant) -> Swift.Duration { other.offset - self.offset }
        static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    }

    private let time = Mutex(Instant(offset: .zero))
    private let wallClock: ManualWallClock

    init(moving wallClock: ManualWallClock) {
        self.wallClock = wallClock
    }

    var now: Instant { self.time.withLock { $0 } }
    var minimumResolution: Swift.Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
        try Task.checkCancellation()
        let passed = self.time.withLock { now in
            defer { now = max(now, deadline) }
            return max(now.duration(to: deadline), .zero)
        }
        self.wallClock.advance(byMilliseconds: Int64(passed / .milliseconds(1)))
    }
}
