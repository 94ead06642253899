internal import Planning
internal import Schema

extension Reconciler {
    /// Turns a step that writes facts into changes for the store, with the event that tells of it.
    func record(_ step: PlanStep, desired: DesiredState, at now: Timestamp) {
        switch step.action {
        case .beginRollout(let graph, _):
            self.changeVariant(graph.variant)
            self.note(
                .normal,
                "RolloutBegan",
                "\(graph.variant) rolls to \(graph.revision): \(step.reason)",
                variant: graph.variant,
                revision: graph.revision,
                commit: graph.commit
            )
        case .advanceRollout(let variant, _):
            self.changeVariant(variant)
        case .promote(let runner):
            self.recordPromotion(runner, step, desired: desired, at: now)
        case .hold(let hold):
            self.changeVariant(hold.variant)
            self.pending.append(.hold(hold))
            self.audit("hold", "\(hold.variant)#\(hold.revision)", "\(hold.reason): \(hold.message)", at: now)
            self.note(
                .warning,
                "Held",
                "\(hold.variant) stays off \(hold.revision): \(hold.reason): \(hold.message)",
                variant: hold.variant,
                revision: hold.revision,
                commit: hold.commit
            )
        case .liftHold(let variant, let revision):
            self.pending.append(.liftHold(variant, revision))
            self.audit("liftHold", "\(variant)#\(revision)", step.reason, at: now)
            self.note(.normal, "HoldLifted", "\(variant)#\(revision): \(step.reason)", variant: variant)
        case .forget(let variant):
            self.pending.append(.forgetVariant(variant))
            self.audit("prune", variant.description, step.reason, at: now)
            self.note(.normal, "Pruned", "\(variant): \(step.reason)", variant: variant)
        case .probe, .load, .start, .warmUp, .setTraffic, .applySettings, .scale, .drain, .stop, .unload,
            .removeEndpoint:
            break
        }
    }

    private func changeVariant(_ variant: VariantID) {
        guard let facts = self.facts.variants[variant] else { return }
        self.pending.append(.variant(variant, facts))
    }

    private func recordPromotion(
        _ runner: RunnerKey,
        _ step: PlanStep,
        desired: DesiredState,
        at now: Timestamp
    ) {
        self.changeVariant(runner.variant)
        // Where the endpoint's settings stand.
        let main = VariantID(defaultOf: runner.variant.resource)
        if main != runner.variant { self.changeVariant(main) }
        let graph = self.facts.variants[runner.variant]?.graph(of: runner.revision)
        let commit = graph?.commit ?? desired.commit.id
        let hold = self.facts.holds.first { $0.variant == runner.variant && $0.target == runner.revision }
        self.pending.append(
            .promotion(
                PromotionRecord(
                    variant: runner.variant,
                    revision: runner.revision,
                    commit: commit,
                    source: graph?.source,
                    at: now,
                    actor: hold?.actor ?? .controller,
                    reason: hold?.message ?? step.reason
                )
            )
        )
        self.audit("promote", runner.description, step.reason, at: now)
        let began = self.undo?.variant(runner.variant)?.rollout?.startedAt
        let took = began.map { " in \(now.milliseconds - $0.milliseconds) ms" } ?? ""
        self.note(
            .normal,
            "Promoted",
            "\(runner.variant) answers with \(runner.revision)\(took)",
            variant: runner.variant,
            revision: runner.revision,
            commit: commit
        )
    }

    /// Adds one of the controller's own decisions to the audit log.
    private func audit(_ action: String, _ subject: String, _ reason: String, at now: Timestamp) {
        self.pending.append(
            .audit(
                AuditEntry(
                    at: now,
                    actor: .controller,
                    action: action,
                    subject: subject,
                    reason: reason,
                    origin: "controller",
                    commit: self.desired?.commit.id
                )
            )
        )
    }
}

extension MartletError {
    static let shuttingDown = MartletError("Conflict", "the controller is shutting down; ask its successor")
}
