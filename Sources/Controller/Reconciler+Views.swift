internal import ManifestYAML
internal import Planning
internal import Schema

// What people get to see.
extension Reconciler {
    /// One resource as the loop saw it last.
    func view(of identity: ResourceIdentity, in sight: StatusSight) -> ResourceView {
        self.book.view(of: identity, in: sight, at: self.ports.wallClock.now())
    }

    /// The same views with what is in memory of their models at this moment, since lazy ones come and go behind the loop's
    /// back.
    func withUses(_ views: [ResourceView]) async -> [ResourceView] {
        let keys = Set(views.compactMap { $0.instance?.key })
        if keys.isEmpty { return views }
        let uses = await self.ports.runtime.uses(of: keys)
        return views.map { view in
            var view = view
            view.instance = view.instance.map {
                InstanceView(key: $0.key, uses[$0.key] ?? InstanceUse(observation: nil))
            }
            return view
        }
    }

    /// Where the manifests come from, and how far they are read.
    func sourceView() -> SourceView {
        let place = self.ports.source.place
        return SourceView(
            location: place.location,
            ref: place.ref,
            path: place.path == SourceSet.followedFolders ? "" : place.path,
            commit: self.desired?.commit ?? self.facts.applied[self.ports.source.name]?.commit,
            condition: self.sourceCondition,
            policy: self.ports.source.policy,
            waiting: self.pendingCommit.map { pending in
                WaitingCommit(
                    commit: pending.commit,
                    wait: pending.wait,
                    errors: pending.diagnostics.filter { $0.severity == .error }
                )
            },
            fetchedAt: self.ports.source.repository.freshness?.fetchedAt
        )
    }
}
