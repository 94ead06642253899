package import Planning
internal import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: Clock, Sendable {
    /// A moment since the clock was made.
    package struct Instant: InstantProtocol, Sendable {
        package var offset: Swift.Duration

        package func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: self.offset + duration) }

        package func duration(to other: Instant) -> Swift.Duration { other.offset - self.offset }

        package static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    }

    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        var isMet: @Sendable ([Swift.Duration]) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        /// Sleeps that were cancelled before they began.
        var cancelled: Set<Int> = []
        var watchers: [Watcher] = []

        /// How long each sleeper has still to sleep, shortest first.
        var remaining: [Swift.Duration] {
            self.sleepers.values.map { self.now.duration(to: $0.deadline) }.sorted()
        }

        /// Takes out the watchers whose condition the sleepers meet.
        mutating func takeWatchers() -> [CheckedContinuation<Void, Never>] {
            let remaining = self.remaining
            let met = self.watchers.filter { $0.isMet(remaining) }.map(\.continuation)
            self.watchers.removeAll { $0.isMet(remaining) }
            return met
        }
    }

    private let state = Mutex(State())

    package init() {}

    package var now: Instant { self.state.withLock { $0.now } }

    package var minimumResolution: Swift.Duration { .nanoseconds(1) }

    package func sleep(until deadline: Instant, tolerance: Swift.Duration? = nil) async throws {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                self.begin(Sleeper(deadline: deadline, continuation: continuation), id)
            }
        } onCancel: {
            let sleeper = self.state.withLock { state in
                if state.sleepers[id] == nil { state.cancelled.insert(id) }
                return state.sleepers.removeValue(forKey: id)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    private func begin(_ sleeper: Sleeper, _ id: Int) {
        let (isOver, isCancelled, watchers): (Bool, Bool, [CheckedContinuation<Void, Never>])
        (isOver, isCancelled, watchers) = self.state.withLock { state in
            if state.cancelled.remove(id) != nil { return (false, true, []) }
            if sleeper.deadline <= state.now { return (true, false, []) }
            state.sleepers[id] = sleeper
            return (false, false, state.takeWatchers())
        }
        for watcher in watchers { watcher.resume() }
        if isOver { sleeper.continuation.resume() }
        if isCancelled { sleeper.continuation.resume(throwing: CancellationError()) }
    }

    /// Moves the time on and wakes, in the order of their deadlines, those whose time has come.
    package func advance(by duration: Swift.Duration) {
        let woken = self.state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.value)
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    /// Returns as soon as at least so many tasks sleep on this clock.
    package func waitForSleepers(_ count: Int = 1) async {
        await self.wait { $0.count >= count }
    }

    /// Returns as soon as some task has still to sleep for exactly `duration`.
    package func waitForSleep(of duration: Swift.Duration) async {
        await self.wait { $0.contains(duration) }
    }

    /// Returns as soon as what the sleepers have still to sleep, shortest first, meets a condition.
    package func wait(until isMet: @escaping @Sendable ([Swift.Duration]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let met = self.state.withLock { state in
                state.watchers.append(Watcher(isMet: isMet, continuation: continuation))
                return state.takeWatchers()
            }
            for watcher in met { watcher.resume() }
        }
    }
}

/// A wall clock that stands still until a test moves it.
package final class ManualWallClock: WallClock {
    private let time: Mutex<Timestamp>

    package init(at time: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        self.time = Mutex(time)
    }

    package func now() -> Timestamp {
        self.time.withLock { $0 }
    }

    package func advance(byMilliseconds amount: Int64) {
        self.time.withLock { $0 = $0.advanced(byMilliseconds: amount) }
    }
}
