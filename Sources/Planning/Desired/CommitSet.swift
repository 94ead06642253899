package import Schema

/// The commits of several sources side by side, which together ask for one desired state.
///
/// The set travels wherever one commit does: its id begins with twelve digits of a digest, which people see and type,
/// and carries the commits themselves, so that whoever meets it can tell what a place of it belongs to.
package struct CommitSet: Sendable, Hashable, CustomStringConvertible {
    /// By the names of their sources.
    package var commits: [String: ObjectID]

    package init(_ commits: [String: ObjectID]) {
        self.commits = commits
    }

    /// Takes an id of ``id``'s form apart; nil for the id of one git commit.
    package init?(id: ObjectID) {
        guard let colon = id.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        self.commits = [:]
        for part in id[id.index(after: colon)...].split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { return nil }
            self.commits[String(pair[0])] = String(pair[1])
        }
    }

    /// `digest:name=commit,name=commit`, sorted by name.
    package var id: ObjectID {
        let parts = self.commits.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        return "\(Digest(of: parts.utf8).hex.prefix(12)):\(parts)"
    }

    /// `base@1a2b3c4d5e, shop@5d6e7f8a9b`, sorted by name, for people.
    package var description: String {
        self.commits.sorted { $0.key < $1.key }.map { "\($0.key)@\($0.value.prefix(10))" }.joined(separator: ", ")
    }

    /// A commit as people know it: ten digits of its id; of several sources, those of each.
    package static func words(for id: ObjectID) -> String {
        CommitSet(id: id)?.description ?? String(id.prefix(10))
    }
}

/// A path in the repository of one of several sources: `shop:models/desk.yaml`.
package struct SourcePath: Sendable, Hashable, CustomStringConvertible {
    package var source: String
    /// Relative to the repository of the source.
    package var path: String

    package init(_ source: String, _ path: String) {
        self.source = source
        self.path = path
    }

    /// Nil for a path that names no source.
    package init?(_ text: String) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        self.source = String(decoding: text.utf8[..<colon], as: UTF8.self)
        self.path = String(decoding: text.utf8[text.utf8.index(after: colon)...], as: UTF8.self)
    }

    package var description: String { "\(self.source):\(self.path)" }
}

extension CommitSummary {
    /// The name of the source that a place belongs to; nil where there is one source only.
    package func source(of location: SourceLocation) -> String? {
        CommitSet(id: self.id).flatMap { set in
            SourcePath(location.path).flatMap { set.commits[$0.source] == nil ? nil : $0.source }
        }
    }

    /// The git commit that a place belongs to: among several sources, that of its own.
    package func id(at location: SourceLocation) -> ObjectID {
        guard let set = CommitSet(id: self.id), let path = SourcePath(location.path) else { return self.id }
        return set.commits[path.source] ?? self.id
    }
}
