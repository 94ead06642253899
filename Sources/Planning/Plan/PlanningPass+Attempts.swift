internal import Schema

extension PlanningPass {
    /// The hold that the target of a variant has earned, if a step of its rollout failed for good.
    ///
    /// The promoted revision never earns one: it is brought back until that works.
    func failedAttempt(_ situation: VariantSituation) -> Hold? {
        guard situation.isRolling, let target = situation.target else { return nil }
        for instance in target.instances where !self.isReady(instance.key) {
            if self.observed.facts.crashed.contains(instance.key) {
                return self.hold(
                    situation,
                    target,
                    "CrashedWhileLoading",
                    "\(instance.model) took the process down while it loaded, or was being loaded whenever it was "
                        + "ended from outside; mend its file, give it more memory, or let "
                        + "'martlet retry' try it again"
                )
            }
            for action in [StepAction.probe(instance), .load(instance)] {
                if let hold = self.hold(situation, target, failedIn: action) { return hold }
            }
        }
        guard situation.runner(of: target.revision)?.state != .ready else { return nil }
        let runner = RunnerKey(situation.id, target.revision)
        for action in [StepAction.start(target, replicas: situation.replicasToStart), .warmUp(runner)] {
            if let hold = self.hold(situation, target, failedIn: action) { return hold }
        }
        return nil
    }

    private func hold(
        _ situation: VariantSituation,
        _ target: RevisionGraph,
        failedIn action: StepAction
    ) -> Hold? {
        guard let failure = self.failure(of: action) else { return nil }
        switch failure.disposition {
        case .terminal:
            return self.hold(situation, target, failure.code, failure.message)
        case .waiting, .retryable:
            guard let deadline = situation.deadline(for: failure), deadline <= self.now else { return nil }
            let patience = situation.settings?.rollout.progressDeadline.description ?? "the progress deadline"
            return self.hold(
                situation,
                target,
                "ProgressDeadlineExceeded",
                "\(action.word) of \(action.subject) still failed after \(patience) (\(failure.code), try "
                    + "\(failure.attempts)): \(failure.message)"
            )
        }
    }

    private func hold(
        _ situation: VariantSituation,
        _ target: RevisionGraph,
        _ reason: String,
        _ message: String
    ) -> Hold {
        Hold(
            variant: situation.id,
            revision: target.revision,
            reason: reason,
            message: message,
            actor: .controller,
            at: self.now,
            commit: target.commit
        )
    }
}

extension VariantSituation {
    /// When a passing trouble becomes a hold; nil while no rollout of the target has begun.
    ///
    /// Counted from the rollout's start. Trouble that began only after that moment, as it does after a long suspension
    /// or in a new process, has the same time again, so that a restart alone never holds a revision.
    func deadline(for failure: StepFailure) -> Timestamp? {
        guard let rollout = self.facts.rollout, rollout.revision == self.target?.revision, let settings else {
            return nil
        }
        let patience = settings.rollout.progressDeadline.milliseconds
        let deadline = rollout.startedAt.advanced(byMilliseconds: patience)
        return failure.firstAt < deadline ? deadline : failure.firstAt.advanced(byMilliseconds: patience)
    }
}
