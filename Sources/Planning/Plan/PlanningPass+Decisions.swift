internal import Schema

extension PlanningPass {
    /// Settings go first and at once: access taken away must not wait for a rollout.
    mutating func applySettings() {
        var wanted: [ResourceIdentity: (settings: EndpointSettings, reason: String)] = [:]
        let runtime = self.observed.runtime.settings
        func want(_ endpoint: ResourceIdentity, _ settings: EndpointSettings) {
            guard runtime[endpoint] != settings.revision else { return }
            wanted[endpoint] = (settings, runtime[endpoint] == nil ? "a new endpoint" : "its settings changed")
        }
        switch self.scope {
        case .everything:
            for (endpoint, settings) in self.desired.settings { want(endpoint, settings) }
        case .endpoints(let endpoints):
            for endpoint in endpoints {
                if let settings = self.desired.settings[endpoint] { want(endpoint, settings) }
            }
        }
        for situation in self.situations where situation.id.tenant == nil {
            switch situation.mode {
            case .follow, .prune:
                continue
            case .keep, .suspended:
                // A suspended endpoint takes nothing new; what was in force before a restart is put in force again.
                if case .suspended = situation.mode { wanted[situation.endpoint] = nil }
                guard runtime[situation.endpoint] == nil, wanted[situation.endpoint] == nil else { continue }
                let before = situation.facts.settings ?? (situation.promoted == nil ? nil : situation.settings)
                guard let before else { continue }
                wanted[situation.endpoint] = (before, "the settings that were in force before")
            }
        }
        for (endpoint, entry) in wanted.sorted(by: { $0.key < $1.key }) {
            _ = self.draft.add(.applySettings(endpoint, entry.settings), for: endpoint, because: entry.reason)
        }
    }

    /// Writes down what this plan has decided about variants, and says what each one waits for.
    mutating func decide() {
        for situation in self.situations {
            switch situation.mode {
            case .suspended(let reason):
                self.draft.wait(situation.endpoint, "Suspended", reason, isDecided: true)
                continue
            case .keep(let word, let reason):
                // The plan as a whole says what the guard stops: it may be thousands of endpoints for one reason.
                if word != PruneStop.word { self.draft.wait(situation.endpoint, word, reason, isDecided: true) }
            case .follow, .prune:
                break
            }
            self.decisions[situation.id] =
                self.liftHolds(situation) + self.writeHolds(situation) + self.endSuperseded(situation)
            self.waitForHold(situation)
        }
    }

    private mutating func writeHolds(_ situation: VariantSituation) -> [Milestone] {
        situation.newHolds.map { hold in
            self.draft.add(.hold(hold), for: situation.endpoint, because: "\(hold.reason): \(hold.message)")
        }
    }

    /// A person's hold ends when the commit asks for something else than what was held.
    private mutating func liftHolds(_ situation: VariantSituation) -> [Milestone] {
        guard let desired = situation.desired else { return [] }
        let ended = situation.holds.values
            .filter { $0.actor != .controller && $0.revision != desired.revision }
            .sorted { $0.revision < $1.revision }
        return ended.map { hold in
            self.draft.add(
                .liftHold(hold.variant, hold.revision),
                for: situation.endpoint,
                because: "\(hold.actor) held it; the commit now asks for \(desired.revision)"
            )
        }
    }

    /// Ends a rollout that nothing asks for any more. One that is replaced by another ends as that one begins.
    private mutating func endSuperseded(_ situation: VariantSituation) -> [Milestone] {
        guard situation.mode != .prune, !situation.isRolling, var rollout = situation.facts.rollout else { return [] }
        guard !situation.newHolds.contains(where: { $0.revision == rollout.revision }) else { return [] }
        _ = rollout.receive(.failed, at: self.now)
        let reason = situation.target.map { "\($0.revision) is to answer, not \(rollout.revision)" }
        return [
            self.draft.add(
                .advanceRollout(situation.id, rollout),
                for: situation.endpoint,
                because: reason ?? "nothing is to answer"
            )
        ]
    }

    private mutating func waitForHold(_ situation: VariantSituation) {
        guard let desired = situation.desired, let hold = situation.holds[desired.revision] else { return }
        let instead = situation.target.map { "\($0.revision) answers instead" } ?? "nothing answers"
        self.draft.wait(
            situation.endpoint,
            "Held",
            "\(situation.id): \(desired.revision) is held by \(hold.actor): \(hold.reason): \(hold.message); "
                + "\(instead) until another revision comes, 'martlet retry' or 'martlet release'",
            isDecided: true
        )
    }
}
