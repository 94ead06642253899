internal import Planning
internal import Synchronization

/// Hands new events to everyone who follows them.
final class EventHub: Sendable {
    private struct State {
        var next = 0
        var followers: [Int: AsyncStream<Event>.Continuation] = [:]
    }

    private let state = Mutex(State())

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
        let followers = self.state.withLock { Array($0.followers.values) }
        for follower in followers {
            for event in events { follower.yield(event) }
        }
    }

    func finish() {
        let followers = self.state.withLock { state in
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.finish() }
    }
}
