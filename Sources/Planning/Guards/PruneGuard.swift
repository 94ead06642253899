package import Schema

/// Stops a commit that would take most of the endpoints away: more than half of them and at least three, or all of a
/// source that declares nothing any more.
///
/// Such a commit is rather a mistake, a moved folder or a bad merge, than a wish. Everything else that it says is
/// carried out; only what it would remove stays, until a person confirms it.
package enum PruneGuard {
    /// Removals of fewer endpoints never stop, as long as the source declares anything.
    package static let fewest = 3

    /// Judges one commit.
    ///
    /// - Parameters:
    ///   - desired: What the commit asks for.
    ///   - serving: The endpoints that are there now, each once; without those whose removal was under way before.
    ///   - confirmations: What people have confirmed.
    package static func stop(
        _ desired: DesiredState,
        serving: some Collection<ResourceIdentity>,
        confirmations: some Collection<PruneConfirmation> = []
    ) -> PruneStop? {
        guard !serving.isEmpty else { return nil }
        let isEmptied = desired.isEmpty
        // Most commits remove nothing: they are through as soon as one half is found to stay.
        let enough = serving.count - serving.count / 2
        var staying = 0
        var leaving: [ResourceIdentity] = []
        for endpoint in serving {
            if desired.keeps(endpoint) { staying += 1 } else { leaving.append(endpoint) }
            if staying >= enough { return nil }
        }
        guard isEmptied || (leaving.count >= PruneGuard.fewest && leaving.count * 2 > serving.count) else { return nil }
        let endpoints = Set(leaving)
        guard !confirmations.contains(where: { endpoints.isSubset(of: $0.endpoints) }) else { return nil }
        return PruneStop(commit: desired.commit, endpoints: endpoints, total: serving.count, isEmptied: isEmptied)
    }
}

/// Removals that wait for a person's word.
package struct PruneStop: Sendable, Hashable {
    /// The commit that would remove them.
    package var commit: CommitSummary
    package var endpoints: Set<ResourceIdentity>
    /// How many endpoints there were.
    package var total: Int
    /// Whether the commit declares nothing at all.
    package var isEmptied: Bool

    package init(commit: CommitSummary, endpoints: Set<ResourceIdentity>, total: Int, isEmptied: Bool) {
        self.commit = commit
        self.endpoints = endpoints
        self.total = total
        self.isEmptied = isEmptied
    }

    /// One UpperCamelCase word for programs.
    package static let word = "PruneGuarded"

    /// Which commit would remove what, and what to type.
    package var message: String {
        let names = self.endpoints.sorted().prefix(3).map { "\($0.namespace)/\($0.name)" }
        let more = self.endpoints.count - names.count
        let list = names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        let empty = self.isEmptied ? "declares nothing any more and " : ""
        let noun = self.total == 1 ? "endpoint" : "endpoints"
        return "\(self.commit.isWorkTree ? "this" : "commit \(self.commit.id.prefix(10))") \(empty)would remove "
            + "\(self.endpoints.count) of \(self.total) \(noun): \(list); nothing is removed until \(self.remedy)"
    }

    private var remedy: String {
        self.commit.isWorkTree
            ? "a person confirms its commit" : "'martlet confirm \(self.commit.id.prefix(10))'"
    }
}

extension PruneStop: Codable {
    private enum CodingKeys: String, CodingKey {
        case commit, endpoints, total, isEmptied, message
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            commit: try container.decode(CommitSummary.self, forKey: .commit),
            endpoints: Set(try container.decode([ResourceIdentity].self, forKey: .endpoints)),
            total: try container.decode(Int.self, forKey: .total),
            isEmptied: try container.decode(Bool.self, forKey: .isEmptied)
        )
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.commit, forKey: .commit)
        try container.encode(self.endpoints.sorted(), forKey: .endpoints)
        try container.encode(self.total, forKey: .total)
        try container.encode(self.isEmptied, forKey: .isEmptied)
        try container.encode(self.message, forKey: .message)
    }
}

/// A person's word that a commit may remove what the guard stopped.
///
/// It holds for the commit and for every later one that removes nothing beside. An endpoint that comes back, or is gone,
/// is taken out of it: what was confirmed once is not confirmed for ever.
package struct PruneConfirmation: Sendable, Hashable, Codable {
    package var commit: ObjectID
    /// What may be removed; sorted.
    package var endpoints: [ResourceIdentity]
    package var actor: Actor
    package var reason: String
    package var at: Timestamp

    package init(commit: ObjectID, endpoints: [ResourceIdentity], actor: Actor, reason: String, at: Timestamp) {
        self.commit = commit
        self.endpoints = endpoints
        self.actor = actor
        self.reason = reason
        self.at = at
    }

    /// What is left of it once a commit is in force; nil: nothing.
    ///
    /// - Parameter serving: The endpoints that are there now.
    package func remaining(after desired: DesiredState, serving: Set<ResourceIdentity>) -> PruneConfirmation? {
        var rest = self
        rest.endpoints.removeAll { !serving.contains($0) || desired.keeps($0) }
        return rest.endpoints.isEmpty ? nil : rest
    }
}

extension DesiredState {
    /// Whether an endpoint is declared, or stays because what declares it cannot be used.
    package func keeps(_ endpoint: ResourceIdentity) -> Bool {
        self.resources[endpoint] != nil || self.blocked[endpoint] != nil || self.retained.contains(endpoint)
    }

    /// What keeps an endpoint from being pruned until a person confirms it; nil: nothing does.
    package func stop(of endpoint: ResourceIdentity) -> PruneStop? {
        self.guarded.first { $0.endpoints.contains(endpoint) }
    }

    /// Whether nothing at all is declared, well or badly.
    package var isEmpty: Bool {
        self.resources.isEmpty && self.blocked.isEmpty && self.retained.isEmpty
    }
}

extension CommitSummary {
    /// Whether it stands for files that were not committed.
    fileprivate var isWorkTree: Bool { !self.id.allSatisfy(\.isHexDigit) }
}
