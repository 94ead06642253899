internal import Schema
internal import Synchronization

/// Equal parts of the manifests that are read together, each kept once: a thousand endpoints say the same of access.
///
/// It lives as long as one read of a commit, so that it never has to forget anything.
final class SharedValues: Sendable {
    private let values = Mutex<Set<JSONValue>>([])
    private let labels = Mutex<Set<[String: String]>>([])

    /// A spec of which every field is shared with those that say the same.
    func sharing(_ spec: JSONValue) -> JSONValue {
        guard case .object(var members) = spec else { return spec }
        self.values.withLock { values in
            for (name, member) in members where member.form != .scalar {
                let kept = values.insert(member).memberAfterInsert
                // What is spelt otherwise has another digest.
                if kept.isSpelled(member) { members[name] = kept }
            }
        }
        return .object(members)
    }

    func sharing(_ labels: [String: String]) -> [String: String] {
        let kept = self.labels.withLock { $0.insert(labels).memberAfterInsert }
        return kept.isSpelled(labels) ? kept : labels
    }
}
