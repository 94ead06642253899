internal import Schema

/// The stretches of time in which a window is open, in order, those that touch or overlap taken together.
///
/// Bounds are milliseconds since 1970. The first stretch may lie before the moment that was asked about.
struct OpenStretches: IteratorProtocol {
    private let window: SyncWindow
    /// Of a day whose clocks do not change, counted from midnight by the local clock.
    private let ordinary: [Range<Int64>]
    private var days: ClosedRange<Int64>.Iterator
    /// What is left of the day that was looked at last, the earliest at the end.
    private var rest: [Range<Int64>] = []
    /// The first stretch that does not touch what was given out.
    private var ahead: Range<Int64>?

    /// - Parameters:
    ///   - now: Every stretch that ends after it is among those that come.
    ///   - horizon: No window that begins later is looked for.
    init(of window: SyncWindow, from now: Timestamp, to horizon: Timestamp) {
        self.window = window
        self.ordinary = Self.merged(window.localTimes, window.duration)
        let first = window.localDay(at: (now.milliseconds - window.duration.milliseconds) / 1000) - 1
        self.days = (first...max(first, window.localDay(at: horizon.milliseconds / 1000) + 1)).makeIterator()
    }

    mutating func next() -> Range<Int64>? {
        guard var stretch = self.ahead ?? self.step() else { return nil }
        self.ahead = nil
        while let following = self.step() {
            guard following.lowerBound <= stretch.upperBound else {
                self.ahead = following
                break
            }
            stretch = stretch.lowerBound..<max(stretch.upperBound, following.upperBound)
        }
        return stretch
    }

    private mutating func step() -> Range<Int64>? {
        while self.rest.isEmpty {
            guard let day = self.days.next() else { return nil }
            self.rest = self.stretches(on: day).reversed()
        }
        return self.rest.popLast()
    }

    private func stretches(on day: Int64) -> [Range<Int64>] {
        guard self.window.hasStarts(on: day) else { return [] }
        guard let offset = self.window.steadyOffset(on: day) else {
            return Self.merged(self.window.starts(on: day), self.window.duration)
        }
        let midnight = (day * CivilDay.seconds - offset) * 1000
        return self.ordinary.map { midnight + $0.lowerBound..<midnight + $0.upperBound }
    }

    /// - Parameter starts: In seconds, ascending.
    private static func merged(_ starts: [Int64], _ duration: ManifestDuration) -> [Range<Int64>] {
        starts.reduce(into: []) { stretches, start in
            let stretch = start * 1000..<start * 1000 + duration.milliseconds
            if let last = stretches.last, stretch.lowerBound <= last.upperBound {
                stretches[stretches.count - 1] = last.lowerBound..<stretch.upperBound
            } else {
                stretches.append(stretch)
            }
        }
    }
}
