internal import Schema

extension StatusSurvey {
    /// Of what endpoints are made of: a model, a template, a chain, a dataset and the like.
    func verdict(onPart identity: ResourceIdentity) -> StatusVerdict {
        if let blocker = self.desired.blocked[identity] { return self.verdict(onBlocked: identity, blocker) }
        let users = self.index.users[identity] ?? []
        guard !users.isEmpty else {
            return StatusVerdict(
                sync: .synced,
                health: .healthy,
                ready: .yes,
                reason: "NotUsed",
                message: "no endpoint uses it"
            )
        }
        let names = StatusSurvey.firstNames(5, of: users)
        var verdict = StatusVerdict(
            sync: .synced,
            health: .healthy,
            ready: .yes,
            reason: "InUse",
            message: "used by " + names.joined(separator: ", ")
        )
        if identity.kind == .model { self.judgeInstance(of: identity, &verdict) }
        self.judgeRollouts(of: identity, users, &verdict)
        verdict.revision = self.desired.resources[identity]?.digest.short
        return verdict
    }

    private func verdict(onBlocked identity: ResourceIdentity, _ blocker: DesiredState.Blocker) -> StatusVerdict {
        let word = blocker.word(for: identity)
        let message = blocker.resource == identity ? blocker.message : "\(blocker.resource): \(blocker.message)"
        var verdict = StatusVerdict(
            sync: .outOfSync,
            health: .degraded,
            ready: .no,
            reason: word,
            message: message
        )
        verdict.blocked = (word, message)
        return verdict
    }

    /// A resource is in sync when every variant that reaches it has promoted it as the commit says it.
    private func judgeRollouts(
        of identity: ResourceIdentity,
        _ users: Set<VariantID>,
        _ verdict: inout StatusVerdict
    ) {
        // Of a part that many use few are under way, and of many that are under way few use it.
        let unpromoted = self.index.unpromoted
        let (fewer, more) = users.count < unpromoted.count ? (users, unpromoted) : (unpromoted, users)
        let late = fewer.filter { more.contains($0) && !self.hasPromoted(identity, in: $0) }.min()
        guard let late else { return }
        let desired = self.desired.variants[late]?.revision
        let isHeld = self.index.holds[late]?.contains { $0.revision == desired } ?? false
        verdict.sync = .outOfSync
        verdict.ready = isHeld ? .no : .unknown
        verdict.reason = isHeld ? "Held" : "Progressing"
        verdict.message = isHeld ? "\(late) holds the revision with it" : "\(late) is being rolled out"
        if isHeld { verdict.health = .degraded }
        if verdict.health == .healthy { verdict.health = .progressing }
    }

    private func judgeInstance(of model: ResourceIdentity, _ verdict: inout StatusVerdict) {
        guard let key = self.index.instance(of: model, self.desired, self.observed.facts) else { return }
        let observation = self.observed.runtime.instances[key]
        let hasCrashed = self.observed.facts.crashed.contains(key)
        switch observation?.state {
        // Whether it is loaded now is different from one request to the next.
        case .ready where self.isLazy(model), .loading where self.isLazy(model), .demanded,
            nil where self.isLazy(model) && !hasCrashed:
            (verdict.reason, verdict.message) = ("LoadedOnDemand", verdict.message + "; requests have it loaded")
        case .ready:
            verdict.reason = "Loaded"
        case .loading:
            (verdict.health, verdict.ready) = (.progressing, .unknown)
            (verdict.reason, verdict.message) = ("Loading", "it is being loaded")
        case .failed:
            (verdict.health, verdict.ready) = (.degraded, .no)
            (verdict.reason, verdict.message) = ("InstanceFailed", observation?.message ?? "")
        case nil where (self.index.users[model] ?? []).allSatisfy(self.isAsleep):
            (verdict.reason, verdict.message) = (
                "ScaledToZero", "it is loaded with the next request to whoever uses it"
            )
        case nil:
            (verdict.health, verdict.ready) = (hasCrashed ? .degraded : .progressing, .no)
            verdict.reason = hasCrashed ? "CrashedWhileLoading" : "NotLoaded"
            verdict.message = hasCrashed ? "it took the process down while it loaded" : "it is not loaded yet"
        }
    }

    private func isLazy(_ model: ResourceIdentity) -> Bool {
        guard case .model(let spec)? = self.desired.resources[model]?.spec else { return false }
        return spec.load == .lazy
    }

    /// Whether the promoted revision of a variant has the resource just as the commit says it.
    private func hasPromoted(_ identity: ResourceIdentity, in variant: VariantID) -> Bool {
        guard let facts = self.observed.facts.variants[variant], let promoted = facts.promoted,
            let graph = facts.graph(of: promoted), let digest = self.desired.resources[identity]?.digest
        else { return false }
        let digests = graph.chains.map { ($0.identity, $0.digest) } + graph.templates.map { ($0.identity, $0.digest) }
        let lookups = graph.knowledge.map { ($0.identity, $0.digest) } + graph.tables.map { ($0.identity, $0.digest) }
        return (digests + graph.models.map { ($0.identity, $0.digest) } + lookups)
            .contains { $0.0 == identity && $0.1 == digest }
    }

    /// The first names of endpoints by the alphabet, each once, found without sorting all of them.
    private static func firstNames(_ count: Int, of users: Set<VariantID>) -> [String] {
        var names: [String] = []
        for user in users {
            let name = user.endpoint
            if names.count == count, let last = names.last, last <= name { continue }
            guard !names.contains(name) else { continue }
            names.insert(name, at: names.firstIndex { $0 > name } ?? names.count)
            if names.count > count { names.removeLast() }
        }
        return names
    }
}
