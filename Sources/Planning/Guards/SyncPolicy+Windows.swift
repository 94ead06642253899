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
        SyncWait(word: word, reason: reason, until: self.nextOpening(after: now))
    }

    /// When the windows next let a commit in; nil when that does not come within as many changes as anyone can plan for.
    private func nextOpening(after now: Timestamp) -> Timestamp? {
        var moment = now
        for _ in 0..<2000 {
            guard let change = self.windows.compactMap({ $0.nextChange(after: moment) }).min() else { return nil }
            moment = change
            if self.isOpen(at: moment) { return moment }
        }
        return nil
    }

    private func isOpen(at moment: Timestamp) -> Bool {
        let open = self.windows.filter { $0.isOpen(at: moment) }
        guard !open.contains(where: { $0.kind == .deny }) else { return false }
        return open.contains { $0.kind == .allow } || !self.windows.contains { $0.kind == .allow }
    }
}
