internal import Planning
internal import Schema

/// What keeps the newest commits out of force, beside the mode, the windows and the guard.
extension Reconciler {
    /// The sources that are not ready; the name is nil where it is the only one.
    private var troubles: [(source: String?, condition: Condition)] {
        let named = self.sourceConditions.filter { $0.value.status == .no }.sorted { $0.key < $1.key }
        if !named.isEmpty { return named.map { ($0.key, $0.value) } }
        return self.sourceCondition.status == .no ? [(nil, self.sourceCondition)] : []
    }

    /// How what is in force stands to the sources: out of sync where a newer commit is known and refused, unknown where
    /// nobody can tell whether there is one.
    var sourceSync: SyncStatus {
        let troubles = self.troubles
        if troubles.isEmpty { return .synced }
        return troubles.contains { self.refusesNewest($0.condition) } ? .outOfSync : .unknown
    }

    /// The same in words, a sentence for each source that is not ready.
    var obstacles: [String] {
        self.troubles.map { source, condition in
            let what = self.refusesNewest(condition) ? "the newest commit is refused" : "the source cannot be read"
            return (source.map { "source '\($0)': " } ?? "") + "\(what): \(condition.reason): \(condition.message)"
        }
    }

    /// Whether a condition is about the newest commit. After a restart, while that one waits, it is about the commit that
    /// was in force before.
    private func refusesNewest(_ condition: Condition) -> Bool {
        condition.refusesCommit && (self.desired != nil || self.pendingCommit == nil)
    }
}

extension Condition {
    /// Whether a source is not ready for a commit that is known, by its signature, its folder or its objects. Else the
    /// source cannot be reached, or has no such ref.
    fileprivate var refusesCommit: Bool {
        ["Signature", "Path", "Object"].contains { self.reason.hasPrefix($0) }
    }
}
