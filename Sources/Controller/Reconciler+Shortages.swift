internal import Planning
internal import Schema

extension Reconciler {
    private static let shortage = "InsufficientMemory"

    /// Notes an event for each endpoint that waits for memory, once until what is short changes; gives all of them.
    func noteShortages(_ looked: LookedAt) -> [ResourceIdentity: String] {
        var shortages = self.shortages
        for endpoint in looked.endpoints ?? Set(shortages.keys) { shortages[endpoint] = nil }
        for wait in self.plan.waits where wait.word == Self.shortage {
            if self.shortages[wait.subject] != wait.reason {
                self.note(.warning, wait.word, "\(wait.subject): \(wait.reason)", resource: wait.subject)
            }
            shortages[wait.subject] = wait.reason
        }
        return shortages
    }

    /// What there is to say once nothing is left to do: what could not be done is named.
    func wordsOfConvergence(to desired: DesiredState) -> String {
        let commit = CommitSet.words(for: desired.commit.id)
        var leftOut: [ResourceIdentity: String] = [:]
        for wait in self.planner.waits(with: self.update) { leftOut[wait.subject] = wait.word }
        for (identity, blocker) in desired.blocked where identity.kind == .endpoint {
            leftOut[identity] = blocker.word(for: identity)
        }
        for endpoint in desired.guarded.flatMap(\.endpoints) { leftOut[endpoint] = PruneStop.word }
        guard !leftOut.isEmpty else { return "nothing is left to do for commit \(commit)" }
        let shown = leftOut.sorted { $0.key < $1.key }.prefix(10).map { "\($0.key) (\($0.value))" }
        let rest = leftOut.count - shown.count
        return "nothing more can be done for commit \(commit) now; left out: \(shown.joined(separator: ", "))"
            + (rest > 0 ? " and \(rest) more" : "")
    }
}
