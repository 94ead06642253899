internal import Planning
internal import Synchronization

/// Calls handlers at their times. Setting and cancelling a timer takes one short lock, and no task of its own: every
/// request can have some.
///
/// Nothing is called while ``run()`` is not running.
final class Timers: Sendable {
    /// Names a timer that was set.
    typealias ID = UInt64

    private struct Timer {
        var due: Duration
        var handler: @Sendable () -> Void
    }

    private struct State {
        var timers: [ID: Timer] = [:]
        var nextID: ID = 0
        /// When sleepers wake up; few, since only one that is earlier than all others is added.
        var alarms: [Duration] = []

        var earliest: Duration? { self.timers.values.map(\.due).min() }
    }

    /// Counts from when this was made; what times are measured on.
    private let stopwatch: Stopwatch
    /// Sleeps until a time of the stopwatch.
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state = Mutex(State())
    private let nudges: AsyncStream<Void>
    private let nudge: AsyncStream<Void>.Continuation

    init(clock: any Clock<Duration>) {
        self.stopwatch = Stopwatch(clock)
        self.sleep = Timers.sleeper(clock)
        (self.nudges, self.nudge) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The time now.
    var now: Duration { self.stopwatch.elapsed }

    /// Calls the handler at a time, from some task, unless it is cancelled before.
    @discardableResult
    func set(at due: Duration, _ handler: @escaping @Sendable () -> Void) -> ID {
        let (id, isEarliest) = self.state.withLock { state in
            state.nextID += 1
            state.timers[state.nextID] = Timer(due: due, handler: handler)
            return (state.nextID, state.alarms.allSatisfy { due < $0 })
        }
        if isEarliest { self.nudge.yield() }
        return id
    }

    func cancel(_ id: ID) {
        self.state.withLock { _ = $0.timers.removeValue(forKey: id) }
    }

    /// Calls handlers until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in self.nudges {
                guard let alarm = self.nextAlarm() else { continue }
                group.addTask { await self.watch(from: alarm) }
            }
            group.cancelAll()
        }
    }

    private func watch(from first: Duration) async {
        var next: Duration? = first
        while let alarm = next {
            guard (try? await self.sleep(alarm)) != nil else { return }
            let handlers = self.takeDue(after: alarm)
            for handler in handlers { handler() }
            next = self.nextAlarm()
        }
    }

    private static func sleeper<C: Clock<Duration>>(_ clock: C) -> @Sendable (Duration) async throws -> Void {
        let start = clock.now
        return { due in try await clock.sleep(until: start.advanced(by: due), tolerance: nil) }
    }

    /// When a sleeper must wake up in addition to those that sleep; nil: they do.
    private func nextAlarm() -> Duration? {
        self.state.withLock { state in
            guard let earliest = state.earliest, state.alarms.allSatisfy({ earliest < $0 }) else { return nil }
            state.alarms.append(earliest)
            return earliest
        }
    }

    private func takeDue(after alarm: Duration) -> [@Sendable () -> Void] {
        // An alarm that rings early by the clock's own grain counts all the same.
        let now = max(self.now, alarm)
        return self.state.withLock { state in
            if let index = state.alarms.firstIndex(of: alarm) { state.alarms.remove(at: index) }
            let due = state.timers.filter { $0.value.due <= now }
            for id in due.keys { state.timers[id] = nil }
            return due.values.map(\.handler)
        }
    }
}
