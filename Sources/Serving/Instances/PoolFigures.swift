internal import Planning
internal import Synchronization

/// What the pool of instances has done since the process started, and what it holds now.
package struct PoolFigures: Sendable, Hashable {
    /// Loads that the controller asked for.
    package var loads = 0
    /// Of instances that were brought back after their eviction: how long each took, in seconds, room included.
    package var swapIns = Histogram(bounds: PoolFigures.swapInBounds)
    package var evictions = 0
    /// Lazy instances that running revisions may ask for, loaded or not.
    package var lazy = 0
    /// Instances in memory, eager ones included.
    package var resident = 0
    /// Bytes that they take, as measured or declared.
    package var residentBytes: Int64 = 0
    /// Bytes that they may take; nil: no bound.
    package var budget: Int64?

    /// In seconds.
    package static let swapInBounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
}

extension PoolFigures {
    /// Counts a load that went well.
    mutating func note(_ flight: InstancePool.Flight) {
        guard let elapsed = flight.swapIn?.elapsed.components else {
            self.loads += 1
            return
        }
        self.swapIns.record(Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    }
}

extension InstancePool {
    package var figures: PoolFigures {
        self.state.withLock { state in
            var figures = state.figures
            figures.lazy = state.entries.values.count { !$0.isPinned }
            figures.resident = state.memory.count
            figures.residentBytes = state.memory.taken
            figures.budget = state.memory.budget
            return figures
        }
    }
}
