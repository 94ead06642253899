internal import Schema

extension StatusSurvey {
    /// Of a model, a template, a chain or a dataset.
    func verdict(onPart identity: ResourceIdentity) -> StatusVerdict {
        if let blocker = self.desired.blocked[identity] {
            let message = blocker.resource == identity ? blocker.message : "\(blocker.resource): \(blocker.message)"
            var verdict = StatusVerdict(
                sync: .outOfSync,
                health: .degraded,
                ready: .no,
                reason: blocker.word(for: identity),
                message: message
            )
            verdict.blocked = (blocker.word(for: identity), message)
            return verdict
        }
        let users = self.users[identity] ?? []
        guard !users.isEmpty else {
            return StatusVerdict(
                sync: .synced,
                health: .healthy,
                ready: .yes,
                reason: "NotUsed",
                message: "no endpoint uses it"
            )
        }
        let late = users.filter { variant in
            guard let desired = self.desired.variants[variant]?.revision else { return false }
            return self.observed.facts.variants[variant]?.promoted != desired
        }
        let names = Set(users.map(\.resource.name)).sorted()
        var verdict = StatusVerdict(
            sync: .synced,
            health: .healthy,
            ready: .yes,
            reason: "InUse",
            message: "used by " + names.prefix(5).joined(separator: ", ")
        )
        if identity.kind == .model { self.judgeInstance(of: identity, &verdict) }
        if let variant = late.first(where: { !self.hasPromoted(identity, in: $0) }) {
            let held =
                self.holds[variant]?.contains { $0.revision == self.desired.variants[variant]?.revision } ?? false
            verdict.sync = .outOfSync
            verdict.ready = held ? .no : .unknown
            verdict.reason = held ? "Held" : "Progressing"
            verdict.message = held ? "\(variant) holds the revision with it" : "\(variant) is being rolled out"
            if held { verdict.health = .degraded } else if verdict.health == .healthy { verdict.health = .progressing }
        }
        verdict.revision = self.desired.resources[identity]?.digest.short
        return verdict
    }

    private func judgeInstance(of model: ResourceIdentity, _ verdict: inout StatusVerdict) {
        guard let key = self.instances[model] else { return }
        let observation = self.observed.runtime.instances[key]
        switch observation?.state {
        case .ready:
            verdict.reason = "Loaded"
        case .loading:
            (verdict.health, verdict.ready) = (.progressing, .unknown)
            (verdict.reason, verdict.message) = ("Loading", "it is being loaded")
        case .failed:
            (verdict.health, verdict.ready) = (.degraded, .no)
            (verdict.reason, verdict.message) = ("InstanceFailed", observation?.message ?? "")
        case nil:
            let hasCrashed = self.observed.facts.crashed.contains(key)
            (verdict.health, verdict.ready) = (hasCrashed ? .degraded : .progressing, .no)
            verdict.reason = hasCrashed ? "CrashedWhileLoading" : "NotLoaded"
            verdict.message = hasCrashed ? "it took the process down while it loaded" : "it is not loaded yet"
        }
    }

    /// Whether the promoted revision of a variant has the resource just as the commit says it.
    private func hasPromoted(_ identity: ResourceIdentity, in variant: VariantID) -> Bool {
        guard let facts = self.observed.facts.variants[variant], let promoted = facts.promoted,
            let graph = facts.graph(of: promoted), let digest = self.desired.resources[identity]?.digest
        else { return false }
        let digests = graph.chains.map { ($0.identity, $0.digest) } + graph.templates.map { ($0.identity, $0.digest) }
        return (digests + graph.models.map { ($0.identity, $0.digest) }).contains { $0.0 == identity && $0.1 == digest }
    }
}
