internal import ManifestYAML
package import Planning
internal import Schema

/// What concerns each of several sources.
extension Reconciler {
    /// The endpoints that came, as far as was written down, from sources of which no commit could be read yet: what
    /// those declare is not known, so nothing of it is pruned.
    func endpointsOfUnreadSources(in desired: DesiredState) -> Set<ResourceIdentity> {
        guard let sources = self.ports.source.sources, let set = CommitSet(id: desired.commit.id) else { return [] }
        let unread = Set(sources.members.map(\.name)).subtracting(set.commits.keys)
        guard !unread.isEmpty else { return [] }
        let endpoints = self.facts.variants.filter { _, facts in
            // What was rolled out when there was one source may be of any of them.
            guard let source = facts.graphs.last?.source else { return true }
            return unread.contains(source)
        }
        return Set(endpoints.keys.map(\.resource))
    }

    /// Takes over how each source was found, with an event for what is new of it.
    func noteSources() {
        guard let sources = self.ports.source.sources else { return }
        let standings = sources.current
        for member in sources.members {
            let standing = standings[member.name]
            let failure = standing?.failure
            let before = self.sourceConditions[member.name]
            let commit = standing?.commit
            let message = failure?.description ?? "commit \(commit?.id.prefix(10) ?? "") is read"
            if let failure, before?.message != message {
                if !self.note(refused: failure, of: member.name) {
                    self.note(
                        .warning,
                        failure.code,
                        "source '\(member.name)' cannot be read: \(failure)",
                        commit: commit?.id
                    )
                }
            } else if let commit, failure == nil, before?.message != message {
                self.note(
                    .normal,
                    "SourceRead",
                    "source '\(member.name)' is at commit \(commit.id.prefix(10)): \(commit.subject)",
                    commit: commit.id
                )
                self.noteSigner(of: commit)
            }
            let status: Condition.Status = failure == nil ? .yes : .no
            self.sourceConditions[member.name] = Condition(
                type: .sourceReady,
                status: status,
                reason: failure?.code ?? "Read",
                message: message,
                lastTransitionTime: before.flatMap { $0.status == status ? $0.lastTransitionTime : nil }
                    ?? self.ports.wallClock.now().seconds
            )
        }
    }

    /// Each of several sources as people see it.
    func sourceViews() -> [SourceView] {
        guard let sources = self.ports.source.sources else { return [] }
        let standings = sources.current
        return sources.members.map { member in
            SourceView(
                name: member.name,
                location: member.location,
                ref: member.ref,
                path: member.path,
                commit: standings[member.name]?.commit,
                condition: self.sourceConditions[member.name] ?? self.sourceCondition,
                fetchedAt: member.repository.freshness?.fetchedAt
            )
        }
    }

    /// The commit that speaks of a resource: among several sources, that of its own.
    func commit(of resource: ResourceIdentity?) -> ObjectID? {
        guard let desired = self.desired else { return nil }
        guard let location = resource.flatMap({ desired.resources[$0]?.location }) else { return desired.commit.id }
        return desired.commit.id(at: location)
    }

    package func fetch(_ source: String?) async throws {
        guard let source else { return try await self.ports.source.repository.refresh() }
        let members = self.ports.source.sources?.members ?? []
        if let member = members.first(where: { $0.name == source }) { return try await member.repository.refresh() }
        guard members.isEmpty, source == self.ports.source.name else {
            let names = members.isEmpty ? [self.ports.source.name] : members.map(\.name)
            let hint = NearestWord.hint(
                for: source,
                among: names,
                otherwise: "; there is \(names.joined(separator: ", "))"
            )
            throw MartletError("NotFound", "there is no source '\(source)'\(hint)")
        }
        try await self.ports.source.repository.refresh()
    }

    /// Fetches a source and looks at what came, for hooks.
    package func look(at source: String, _ request: OperatorRequest) async throws -> CommitSummary {
        try await self.fetch(source)
        return try await self.look(request)
    }
}
