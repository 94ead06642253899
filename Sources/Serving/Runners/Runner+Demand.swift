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

    /// Notes that requests came or went, where somebody wants to know how many there are.
    func noteDemand(_ guarded: inout Guarded) {
        guarded.meter?.note(guarded.state.demand, at: self.stopwatch.elapsed)
    }
}
