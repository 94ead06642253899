internal import Schema

extension SyncPolicy {
    /// What keeps new commits from being applied at a moment; nil: no window does.
    ///
    /// A window that denies is stronger than any that allows. Where any window allows, one of these has to be open.
    ///
    /// - Parameter manual: A person asks: windows that say so let pass, if all of those in the way do.
    package func obstacle(at now: Timestamp, manual: Bool = false) -> SyncWait? {
        guard !self.windows.isEmpty else { return nil }
        let open = self.windows.filter { $0.isOpen(at: now) }
        let denying = open.filter { $0.kind == .deny }
        if let first = denying.first {
            if manual, denying.allSatisfy(\.manualSync) { return nil }
            return self.wait("SyncDenied", "the sync window '\(first)' is open", at: now)
        }
        let allowing = self.windows.filter { $0.kind == .allow }
        if allowing.isEmpty || open.contains(where: { $0.kind == .allow }) { return nil }
        if manual, allowing.allSatisfy(\.manualSync) { return nil }
        let names = allowing.map { "'\($0)'" }.joined(separator: ", ")
        return self.wait("OutsideSyncWindow", "no sync window is open: \(names)", at: now)
    }

    private func wait(_ word: String, _ reason: String, at now: Timestamp) -> SyncWait {
        guard let opening = self.nextOpening(after: now) else {
            let tomorrow = now.advanced(byMilliseconds: CivilDay.seconds * 1000)
            return SyncWait(word: word, reason: "\(reason); no opening is in sight", until: tomorrow)
        }
        return SyncWait(word: word, reason: reason, until: opening)
    }

    /// When the windows next let a commit in; nil when all that allow are denied for a year, or none comes any more.
    package func nextOpening(after now: Timestamp) -> Timestamp? {
        // The rarest day, the 29th of February, may stay away for eight years.
        let horizon = now.advanced(byMilliseconds: 9 * 366 * CivilDay.seconds * 1000)
        let stretches = { (kind: SyncWindow.Kind) in
            self.windows.filter { $0.kind == kind }.map { WindowCursor($0, from: now, to: horizon) }
        }
        var (denying, allowing) = (stretches(.deny), stretches(.allow))
        var moment = now.milliseconds
        let first = allowing.indices.compactMap { allowing[$0].opening(from: moment) }.min()
        let limit = max(first ?? moment, moment) + 366 * CivilDay.seconds * 1000
        while moment < limit {
            var isDenied = false
            for index in denying.indices {
                guard let end = denying[index].end(ifOpenAt: moment) else { continue }
                (moment, isDenied) = (end, true)
            }
            if isDenied { continue }
            if allowing.isEmpty { return Timestamp(milliseconds: moment) }
            let openings = allowing.indices.compactMap { allowing[$0].opening(from: moment) }
            guard let opening = openings.min() else { return nil }
            if opening <= moment { return Timestamp(milliseconds: moment) }
            moment = opening
        }
        return nil
    }
}

/// Where one window stands at moments that go forward only.
private struct WindowCursor {
    private var stretches: OpenStretches
    private var current: Range<Int64>?

    init(_ window: SyncWindow, from now: Timestamp, to horizon: Timestamp) {
        self.stretches = OpenStretches(of: window, from: now, to: horizon)
        self.current = self.stretches.next()
    }

    /// When the window closes, if it is open at a moment.
    mutating func end(ifOpenAt moment: Int64) -> Int64? {
        guard let opening = self.opening(from: moment), opening <= moment else { return nil }
        return self.current?.upperBound
    }

    /// When the window is first open at or after a moment; a moment within an opening, or before, is that opening's.
    mutating func opening(from moment: Int64) -> Int64? {
        while let stretch = self.current, stretch.upperBound <= moment { self.current = self.stretches.next() }
        return self.current?.lowerBound
    }
}
