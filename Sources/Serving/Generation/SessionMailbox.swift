internal import Dispatch
internal import Synchronization

/// How the world talks to a session's thread: letters that the thread reads between two steps.
///
/// The thread parks here when it has nothing to do. While it works, an atomic flag tells it that there is mail, so that a
/// step without any takes no lock; and nobody wakes a thread that is awake.
final class SessionMailbox<Letter: Sendable>: Sendable {
    private struct State {
        var letters: [Letter] = []
        var isParked = false
    }

    private let state = Mutex(State())
    private let hasMail = Atomic(false)
    private let wakeUp = DispatchSemaphore(value: 0)

    func post(_ letter: Letter) {
        let wasParked = self.state.withLock { state in
            state.letters.append(letter)
            self.hasMail.store(true, ordering: .releasing)
            defer { state.isParked = false }
            return state.isParked
        }
        if wasParked { self.wakeUp.signal() }
    }

    /// What has come since the last call; empty most of the time.
    func takeLetters() -> [Letter] {
        guard self.hasMail.load(ordering: .acquiring) else { return [] }
        return self.state.withLock { self.take(from: &$0) }
    }

    /// Blocks the thread until there is mail, and takes it.
    func waitForLetters() -> [Letter] {
        while true {
            let letters = self.state.withLock { state in
                state.isParked = state.letters.isEmpty
                return self.take(from: &state)
            }
            if !letters.isEmpty { return letters }
            self.wakeUp.wait()
        }
    }

    private func take(from state: inout sending State) -> [Letter] {
        self.hasMail.store(false, ordering: .releasing)
        defer { state.letters.removeAll() }
        return state.letters
    }
}
