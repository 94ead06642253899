internal import DequeModule
internal import Dispatch
internal import Foundation
internal import Synchronization

/// Threads that all models of tensors share for their runs, which block; made when they are needed, up to a limit.
///
/// Models take turns of one run each, so that one with a long queue keeps no other waiting.
final class TensorWorkers: Sendable {
    /// One run, on whatever thread has time for it.
    struct Turn: Sendable {
        /// Returns the turns that can follow now.
        let perform: @Sendable () -> [Turn]
    }

    fileprivate struct State {
        var turns: Deque<Turn> = []
        var threads = 0
        var limit: Int
        /// The alarm clocks of idle threads, the one that was busy last at the end.
        var parked: [DispatchSemaphore] = []
        var isClosed = false
    }

    private let state: Mutex<State>

    /// - Parameter limit: the most threads; more than there are processors, so that long runs do not stop short ones.
    init(limit: Int = max(8, 4 * ProcessInfo.processInfo.activeProcessorCount)) {
        self.state = Mutex(State(limit: limit))
    }

    /// Performs turns in their order, each as soon as a thread has time for it.
    func perform(_ turns: [Turn]) {
        for turn in turns {
            let (sleeper, needsThread) = self.state.withLock { state -> (DispatchSemaphore?, Bool) in
                state.turns.append(turn)
                if let sleeper = state.parked.popLast() { return (sleeper, false) }
                return (nil, state.addThread())
            }
            sleeper?.signal()
            if needsThread { self.startThread() }
        }
    }

    /// Ends the threads, idle ones now and busy ones after all turns that wait.
    func close() {
        let sleepers = self.state.withLock { state in
            state.isClosed = true
            defer { state.parked = [] }
            return state.parked
        }
        for sleeper in sleepers { sleeper.signal() }
    }

    /// Takes another thread in the place of one whose turn hangs.
    func leaveBehind() {
        let needsThread = self.state.withLock { state in
            state.limit += 1
            return !state.turns.isEmpty && state.addThread()
        }
        if needsThread { self.startThread() }
    }

    /// A turn that was left behind has returned after all: its thread, or another one, ends.
    func returnLate() {
        self.state.withLock { $0.limit -= 1 }
    }

    private func startThread() {
        let thread = Thread {
            let alarm = DispatchSemaphore(value: 0)
            var following: [Turn] = []
            while let turn = self.nextTurn(after: following, alarm) { following = turn.perform() }
        }
        thread.name = "martlet-tensors"
        thread.start()
    }

    /// Puts the turns that follow in the queue and takes the first one there; blocks until there is one. Nil ends the
    /// thread.
    private func nextTurn(after following: [Turn], _ alarm: DispatchSemaphore) -> Turn? {
        var following = following
        while true {
            let (turn, mustEnd, sleeper) = self.state.withLock { state -> (Turn?, Bool, DispatchSemaphore?) in
                state.turns.append(contentsOf: following)
                if state.threads > state.limit || state.isClosed && state.turns.isEmpty {
                    state.threads -= 1
                    return (nil, true, state.turns.isEmpty ? nil : state.parked.popLast())
                }
                guard let turn = state.turns.popFirst() else {
                    state.parked.append(alarm)
                    return (nil, false, nil)
                }
                // What else follows is for others, who may be asleep.
                return (turn, false, following.isEmpty || state.turns.isEmpty ? nil : state.parked.popLast())
            }
            sleeper?.signal()
            if turn != nil || mustEnd { return turn }
            following = []
            alarm.wait()
        }
    }
}

extension TensorWorkers.State {
    /// Whether there may be one thread more, which is counted then.
    fileprivate mutating func addThread() -> Bool {
        guard self.threads < self.limit else { return false }
        self.threads += 1
        return true
    }
}
