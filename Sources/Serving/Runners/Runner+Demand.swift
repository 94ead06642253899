internal import Planning
internal import Synchronization

extension Runner {
    /// How many requests there were at once since the call before; the first call begins to measure.
    func takeDemand() -> RequestDemand {
        self.guarded.withLock { guarded in
            let (count, now) = (guarded.state.demand, self.stopwatch.elapsed)
            let average = guarded.meter?.takeAverage(at: now)
            guarded.meter = guarded.meter ?? ConcurrencyMeter(count, at: now)
            return RequestDemand(average: average ?? Double(count), now: count)
        }
    }

    /// Until a lazy model is loaded for the first time, nobody knows how many requests it can work on: one has it loaded
    /// while the others wait for their turn, by the rules for waiting.
    func learnCapacity(_ guarded: inout Guarded) -> [RunnerState.Grant] {
        // The pool takes its own lock within this one, and never the other way round.
        guard !guarded.state.isCapacityKnown, let capacity = self.measure() else { return [] }
        return guarded.state.learn(capacity: capacity)
    }

    /// Gives their seats to those who waited for a model to be loaded, where that one was the last.
    func noteLoad() {
        let granted = self.guarded.withLock { Runner.seat(self.learnCapacity(&$0), &$0) }
        for (turn, seat) in granted { turn.yield(.seated(seat)) }
    }

    /// Notes that requests came or went, where somebody wants to know how many there are.
    func noteDemand(_ guarded: inout Guarded) {
        guarded.meter?.note(guarded.state.demand, at: self.stopwatch.elapsed)
    }
}
