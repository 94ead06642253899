internal import Schema

extension StatusSurvey {
    func verdict(onEndpoint endpoint: ResourceIdentity) -> StatusVerdict {
        let verdicts = self.variants(of: endpoint).map { self.verdict(on: $0) }
        var verdict =
            verdicts.first { $0.health == .degraded } ?? verdicts.first { $0.ready != .yes } ?? verdicts.first
            ?? StatusVerdict(
                sync: .outOfSync,
                health: .missing,
                ready: .no,
                reason: "Progressing",
                message: "it has not been rolled out yet"
            )
        if verdicts.contains(where: { $0.sync == .outOfSync }) { verdict.sync = .outOfSync }
        verdict.isReconciling = verdicts.contains(where: \.isReconciling)
        if let settings = self.desired.settings[endpoint]?.revision,
            settings != self.observed.runtime.settings[endpoint]
        {
            verdict.sync = .outOfSync
            if verdict.health == .healthy { verdict.health = .progressing }
            verdict.isReconciling = true
        }
        self.judgeBlock(of: endpoint, &verdict)
        if self.isSuspended(endpoint) {
            verdict.health = .suspended
            verdict.isReconciling = false
            verdict.reason = "Suspended"
            verdict.message = self.waits(endpoint).first { $0.word == "Suspended" }?.reason ?? "it is suspended"
            if verdict.ready == .unknown { verdict.ready = .no }
        }
        return verdict
    }

    private func judgeBlock(of endpoint: ResourceIdentity, _ verdict: inout StatusVerdict) {
        let word: String
        let message: String
        if let blocker = self.desired.blocked[endpoint] {
            word = blocker.word(for: endpoint)
            message = blocker.resource == endpoint ? blocker.message : "\(blocker.resource): \(blocker.message)"
            verdict.sync = .outOfSync
        } else if self.desired.retained.contains(endpoint), self.desired.resources[endpoint] == nil {
            (word, message) = ("FileUnreadable", "the file that declared it cannot be read; it stays as it was")
            verdict.sync = .unknown
        } else {
            return
        }
        let isAnswering = verdict.ready == .yes
        verdict.blocked = (word, message)
        verdict.health = self.variants(of: endpoint).isEmpty ? .missing : .degraded
        verdict.ready = .no
        verdict.reason = word
        verdict.message = message + (isAnswering ? "; the promoted revision goes on" : "")
    }

    private func verdict(on variant: VariantID) -> StatusVerdict {
        let facts = self.observed.facts.variants[variant] ?? VariantFacts()
        let answers = self.answers(variant)
        guard let desired = self.desired.variants[variant]?.revision else {
            return self.verdict(onKept: variant, facts, answers: answers)
        }
        var verdict: StatusVerdict
        if let hold = self.index.holds[variant]?.first(where: { $0.revision == desired }) {
            verdict = self.verdict(onHeld: variant, hold, facts, answers: answers)
        } else if facts.promoted == desired, self.isAsleep(variant) {
            verdict = StatusVerdict(
                sync: .synced,
                health: .healthy,
                ready: .yes,
                reason: "ScaledToZero",
                message: "\(desired) is scaled to zero; the next request starts it"
            )
        } else if facts.promoted == desired, answers {
            verdict = StatusVerdict(
                sync: .synced,
                health: .healthy,
                ready: .yes,
                reason: "Promoted",
                message: "\(desired) answers"
            )
        } else {
            verdict = self.verdict(onMoving: variant, isRolling: facts.promoted != desired, answers: answers)
            self.judgeStall(of: variant, &verdict)
        }
        verdict.revision = desired.description
        return verdict
    }

    private func verdict(
        onHeld variant: VariantID,
        _ hold: Hold,
        _ facts: VariantFacts,
        answers: Bool
    ) -> StatusVerdict {
        let message = "\(hold.revision) is held by \(hold.actor): \(hold.reason): \(hold.message)"
        var verdict = StatusVerdict(
            sync: .outOfSync,
            health: .degraded,
            ready: .no,
            reason: "Held",
            message: message
        )
        verdict.stalled = ("Held", message)
        let isGoingBack = hold.target.map { $0 != facts.promoted } ?? false
        verdict.isReconciling = isGoingBack || (!answers && facts.promoted != nil)
        return verdict
    }

    /// Of a variant that is rolled out, or brought back.
    private func verdict(onMoving variant: VariantID, isRolling: Bool, answers: Bool) -> StatusVerdict {
        let backingOff = self.waits(variant.resource).first { $0.word == "BackingOff" }
        let revision = self.desired.variants[variant]?.revision.description ?? ""
        var verdict = StatusVerdict(
            sync: isRolling ? .outOfSync : .synced,
            health: isRolling || backingOff == nil ? .progressing : .degraded,
            ready: isRolling ? .unknown : .no,
            reason: backingOff == nil ? "Progressing" : "BackingOff",
            message: backingOff?.reason ?? "\(revision) is on its way" + (answers ? "" : "; nobody answers")
        )
        verdict.isReconciling = true
        if let failed = self.failedInstance(of: variant) {
            verdict.health = .degraded
            if backingOff == nil { (verdict.reason, verdict.message) = ("InstanceFailed", failed) }
        }
        return verdict
    }

    /// Some waits end only when a person does something.
    private func judgeStall(of variant: VariantID, _ verdict: inout StatusVerdict) {
        let stalls = [
            "InsufficientMemory", "CrashedWhileLoading", "EngineNotInstalled", "AcceleratorMissing",
            PolicyReview.violation,
        ]
        guard let stall = self.waits(variant.resource).first(where: { stalls.contains($0.word) }) else { return }
        verdict.health = .degraded
        verdict.ready = .no
        (verdict.reason, verdict.message) = (stall.word, stall.reason)
        verdict.stalled = (stall.word, stall.reason)
        verdict.isReconciling = false
    }

    /// Of a variant that the commit says nothing usable about: blocked, retained, or on its way out.
    private func verdict(onKept variant: VariantID, _ facts: VariantFacts, answers: Bool) -> StatusVerdict {
        let stop = self.desired.stop(of: variant.resource)
        let isGoing =
            stop == nil && self.desired.blocked[variant.resource] == nil
            && !self.desired.retained.contains(variant.resource)
        let promoted = facts.promoted?.description ?? "nothing"
        var verdict = StatusVerdict(
            sync: .outOfSync,
            health: isGoing ? .progressing : answers ? .healthy : .degraded,
            ready: isGoing ? .no : answers ? .yes : .no,
            reason: isGoing ? "Pruning" : stop == nil ? "Promoted" : PruneStop.word,
            message: isGoing ? "\(variant) left the repository" : stop?.message ?? "\(promoted) answers"
        )
        verdict.isReconciling = isGoing
        verdict.blocked = stop.map { (PruneStop.word, $0.message) }
        verdict.revision = facts.promoted?.description
        return verdict
    }
}
