internal import Planning
internal import Schema

/// Which commit is in force, and what a commit may not remove by itself.
extension Reconciler {
    /// The gate as a read finds it.
    func gate(for read: SourceRead) -> SyncGate {
        let source = self.ports.source
        return SyncGate(
            policy: source.policy,
            applied: self.facts.applied[source.name]?.commit.id,
            request: read.request
        )
    }

    /// Whether it is time to decide anew about the commit that waits; says so once, and once more in a while should
    /// the source not be readable then.
    func takeDuePendingCommit() -> Bool {
        let now = self.ports.wallClock.now()
        guard let until = self.pendingCommit?.wait.until, until <= now else { return false }
        self.pendingCommit?.wait.until = now.advanced(byMilliseconds: 10_000)
        return true
    }

    /// Notes the commit that waits, with one event for each reason that it waits for.
    func notePending(of reading: SourceReading) {
        let before = self.pendingCommit
        self.pendingCommit = reading.pending
        guard let pending = reading.pending else { return }
        if self.desired == nil {
            if let lost = self.lostCommit(of: reading) {
                self.remember(lost.code, lost.message)
            } else if self.facts.applied[self.ports.source.name] != nil, let failure = reading.failure {
                self.remember(unreadable: .wrapping(failure))
            } else {
                self.remember("NotSynced", "no commit is applied yet: \(pending.message)")
            }
        }
        guard before?.commit.id != pending.commit.id || before?.wait.word != pending.wait.word else { return }
        self.note(.normal, pending.wait.word, pending.message, commit: pending.commit.id)
    }

    /// That the commit which was in force before a restart is not in the repository any more, while another one waits.
    func lostCommit(of reading: SourceReading) -> MartletError? {
        guard reading.hasLostCommit, let pending = reading.pending,
            let applied = self.facts.applied[self.ports.source.name]
        else { return nil }
        let lost = applied.commit.id.prefix(10)
        return MartletError(
            "CommitGone",
            "commit \(lost), which is in force, is not in the repository any more, as after a force push: what it "
                + "promoted goes on from the record, but cannot be changed; 'martlet sync' applies commit "
                + "\(pending.commit.id.prefix(10)) instead, or push a branch that has \(lost)"
        )
    }

    /// Writes down which commit is in force, before anything acts on it.
    func noteApplied(_ commit: CommitSummary, by actor: Actor) {
        let source = self.ports.source.name
        guard self.facts.applied[source]?.commit.id != commit.id else { return }
        self.change(
            .applied(AppliedCommit(source: source, commit: commit, at: self.ports.wallClock.now(), actor: actor))
        )
    }

    /// What a commit that comes into force would remove and may not, with an event for what is new of it.
    ///
    /// - Parameter changed: The resources that it says something else about than the one before; nil: any.
    func guardedRemovals(of desired: DesiredState, _ changed: Set<ResourceIdentity>?) -> [PruneStop] {
        if let changed, self.removesFew(desired, changed) { return [] }
        let known = Set(self.facts.variants.keys.map(\.resource))
        self.shortenConfirmations(for: desired, known)
        // What an earlier commit was free to remove is on its way out already.
        let serving = known.filter { endpoint in
            guard let current = self.desired else { return true }
            return current.keeps(endpoint) || current.stop(of: endpoint) != nil
        }
        guard let stop = PruneGuard.stop(desired, serving: serving, confirmations: self.facts.confirmations.values)
        else { return [] }
        if self.desired?.guarded.contains(stop) != true {
            self.note(.warning, PruneStop.word, stop.message, commit: desired.commit.id)
        }
        return [stop]
    }

    /// Whether a commit takes too little away for the guard, as almost every one does: known at the cost of the change.
    private func removesFew(_ desired: DesiredState, _ changed: Set<ResourceIdentity>) -> Bool {
        guard let current = self.desired, current.guarded.isEmpty, self.facts.confirmations.isEmpty, !desired.isEmpty,
            // What only an unreadable file has kept until now is named by no change.
            current.retained.isSubset(of: desired.retained)
        else { return false }
        let leaving = changed.lazy.filter { $0.kind == .endpoint && !desired.keeps($0) }
        return leaving.prefix(PruneGuard.fewest).count < PruneGuard.fewest
    }

    private func shortenConfirmations(for desired: DesiredState, _ serving: Set<ResourceIdentity>) {
        for (commit, confirmation) in self.facts.confirmations.sorted(by: { $0.key < $1.key }) {
            let rest = confirmation.remaining(after: desired, serving: serving)
            if rest != confirmation { self.change(rest.map { .confirmPrune($0) } ?? .endConfirmation(commit)) }
        }
    }

    /// Notes the endpoints that a commit leaves blocked by something else, which were not so before.
    func noteBlocked(_ desired: DesiredState, after earlier: DesiredState?) {
        let blocked = desired.blocked.filter { endpoint, blocker in
            endpoint.kind == .endpoint && blocker.resource != endpoint && earlier?.blocked[endpoint] != blocker
        }
        // Of a broken model that thousands use, some tell enough.
        for (endpoint, blocker) in blocked.sorted(by: { $0.key < $1.key }).prefix(100) {
            let words = "\(endpoint) is blocked by \(blocker.resource): \(blocker.message)"
            self.note(.warning, blocker.word(for: endpoint), words, resource: endpoint, commit: desired.commit.id)
        }
    }

    /// Changes the facts, and has it written with the next transaction.
    private func change(_ change: FactChange) {
        self.apply(change)
        self.pending.append(change)
    }

    /// The plan for the commit that waits: what would be done if it came into force now.
    var proposedPlans: [ProposedPlan] {
        guard let pending = self.pendingCommit else { return [] }
        switch pending.desired {
        case .failure(let error):
            let commit = DesiredState(commit: pending.commit)
            let place = SourceLocation(path: self.ports.source.place.path, line: 1, column: 1)
            let problem = Diagnostic(at: place, error.description)
            return [
                ProposedPlan(
                    commit: commit.commit,
                    wait: pending.wait,
                    plan: Plan(commit: commit.commit.id),
                    diagnostics: [problem]
                )
            ]
        case .success(var desired):
            let known = Set(self.facts.variants.keys.map(\.resource))
            let stop = PruneGuard.stop(desired, serving: known, confirmations: self.facts.confirmations.values)
            desired.guarded = stop.map { [$0] } ?? []
            let plan = Planner.plan(desired: desired, observed: self.observed, now: self.ports.wallClock.now())
            return [
                ProposedPlan(
                    commit: pending.commit,
                    wait: pending.wait,
                    plan: plan,
                    diagnostics: desired.diagnostics
                )
            ]
        }
    }

    /// What a person's wish to sync asks of the gate; nil: nothing that it does not do by itself.
    ///
    /// Throws `Conflict` where the mode or a window forbids it.
    func syncRequest(_ revision: String?) throws -> SyncGate.Request? {
        let policy = self.ports.source.policy
        let newest = self.pendingCommit?.commit ?? self.desired?.commit
        if let revision, policy.mode == .automatic, newest?.id.hasPrefix(revision.lowercased()) != true {
            throw MartletError(
                "Conflict",
                "the sync mode is automatic, so the newest commit would follow '\(revision)' at once; 'martlet rollback' "
                    + "takes one endpoint back, 'martlet run --sync-mode manual' leaves the choice of the commit to people"
            )
        }
        if let obstacle = policy.obstacle(at: self.ports.wallClock.now(), manual: true) {
            guard self.pendingCommit != nil || revision != nil else { return nil }
            let opening = policy.nextOpening(after: self.ports.wallClock.now())
            let until = opening.map { "; the next opening is at \($0.text)" } ?? ""
            throw MartletError(
                "Conflict",
                "\(obstacle.reason)\(until). Rollbacks, suspensions and self-healing go on; a window that ends with "
                    + "'manual' lets 'martlet sync' pass"
            )
        }
        if let revision { return .commit(revision) }
        return policy.isOpen ? nil : .newest
    }

    /// Lets a commit remove what the guard has stopped.
    func confirmation(of digits: String, _ request: OperatorRequest) throws -> PruneConfirmation {
        let stops = self.desired?.guarded ?? []
        let digits = digits.lowercased()
        guard digits.count >= 4 else {
            throw MartletError("BadRequest", "'\(digits)' is no commit; write at least 4 of its digits")
        }
        if let stop = stops.first(where: { $0.commit.id.hasPrefix(digits) }) {
            return PruneConfirmation(
                commit: stop.commit.id,
                endpoints: stop.endpoints.sorted(),
                actor: request.actor,
                reason: request.reason,
                at: self.ports.wallClock.now()
            )
        }
        if let stop = stops.first {
            throw MartletError("Conflict", "commit '\(digits)' is not the one that waits: \(stop.message)")
        }
        if self.facts.confirmations.keys.contains(where: { $0.hasPrefix(digits) }) {
            throw MartletError("Conflict", "commit '\(digits)' is confirmed already")
        }
        throw MartletError("Conflict", "no removal waits for a confirmation, of commit '\(digits)' or of any other")
    }
}

extension PendingCommit {
    /// Which commit waits for what.
    var message: String {
        let until = self.wait.until.map { " until \($0.text)" } ?? ""
        return "commit \(self.commit.id.prefix(10)) waits\(until): \(self.wait.reason)"
    }

    /// All that is wrong with it.
    var diagnostics: [Diagnostic] {
        switch self.desired {
        case .success(let desired): desired.diagnostics
        case .failure: []
        }
    }
}
