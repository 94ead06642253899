internal import Logging
internal import Planning
internal import Schema
internal import Synchronization

/// Hands new events to everyone who follows them, and to the log: all warnings, and what concerns the whole. What every
/// single endpoint goes through would bury those, and is there for who debugs.
final class EventHub: Sendable {
    private struct State {
        var next = 0
        var followers: [Int: AsyncStream<Event>.Continuation] = [:]
    }

    private let state = Mutex(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Events from now on. A follower that does not keep up with 1,024 events loses the oldest of them and can read
    /// those back by number.
    func follow() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1024))
        let id = self.state.withLock { state in
            state.next += 1
            state.followers[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.followers.removeValue(forKey: id) }
        }
        return stream
    }

    func publish(_ events: [Event]) {
        guard !events.isEmpty else { return }
        for event in events { self.log(event) }
        let followers = self.state.withLock { Array($0.followers.values) }
        for follower in followers {
            for event in events { follower.yield(event) }
        }
    }

    private func log(_ event: Event) {
        let level: Logger.Level =
            switch event.severity {
            case .warning: .warning
            case .normal: event.resource == nil ? .info : .debug
            }
        // Messages quote commits and manifests: one line each, whatever is in them.
        self.logger.log(
            level: level,
            "\(PlainText.line(event.message))",
            metadata: ["event": "\(event.reason)", "number": "\(event.sequence)"]
        )
    }

    func finish() {
        let followers = self.state.withLock { state in
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.finish() }
    }
}
