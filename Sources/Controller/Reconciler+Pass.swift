internal import Logging
internal import Planning
internal import Schema

extension Reconciler {
    /// Reads what was written down, and turns loads that never ended into crashes: the process died with them.
    func recover() throws {
        self.findEngines()
        self.facts = try self.ports.store.facts()
        self.conditions = try self.ports.store.conditions()
        let unfinished = try self.ports.store.unfinishedLoads()
        for instance in unfinished { self.judge(instance, amongst: unfinished.count) }
        self.writePending()
    }

    /// Decides what becomes of an instance whose load the last process did not end.
    private func judge(_ instance: InstanceKey, amongst count: Int) {
        self.pending.append(.endLoading(instance))
        let ended = "the last process ended while it loaded instance \(instance)"
        guard self.lastProcessCrashed else {
            self.note(.normal, "LoadCutShort", "\(ended), from outside; it is loaded again")
            return
        }
        if count == 1 {
            self.facts.apply(.crashed(instance))
            self.pending.append(.crashed(instance))
            self.note(
                .warning,
                "CrashedWhileLoading",
                "\(ended); it is not loaded again until 'martlet retry' says so"
            )
        } else {
            // Only one of them can have done it: the innocent must not stay down with it.
            self.queue.suspects.insert(instance)
            self.note(
                .warning,
                "CrashedWhileLoading",
                "\(ended) and others; they are loaded one by one now, to find out which of them it was"
            )
        }
    }

    /// Takes over a commit that was read, or notes why the source could not be.
    func accept(_ result: Result<SourceReading, any Error>) {
        switch result {
        case .success(let reading):
            if var desired = reading.desired {
                if reading.hasUnreadableFiles, self.desired == nil || self.retainsEverything {
                    // Nobody knows what the files declared before this process began: nothing is pruned until all of
                    // them can be read.
                    desired.retained.formUnion(self.facts.variants.keys.map(\.resource))
                    self.retainsEverything = true
                } else {
                    self.retainsEverything = false
                }
                self.adopt(desired)
            }
            self.remembered = nil
            self.setSourceCondition(.yes, "Read", "commit \(reading.commit.id.prefix(10)) is read")
        case .failure(let error):
            let error = MartletError.wrapping(error)
            if self.sourceCondition.message != error.description {
                self.note(.warning, error.code, "the source cannot be read: \(error)")
            }
            self.setSourceCondition(.no, error.code, error.description)
            if self.desired == nil { self.remember(without: error) }
        }
    }

    /// Keeps what was promoted, as long as nobody knows what any commit asks for.
    private func remember(without error: MartletError) {
        let newest = (try? self.ports.store.commits(limit: 1))?.first?.commit
        let blocked = self.facts.variants.keys.map(\.resource).map { endpoint in
            let message = "the source cannot be read: \(error)"
            return (endpoint, DesiredState.Blocker(resource: endpoint, message: message, word: "SourceUnreadable"))
        }
        self.remembered = DesiredState(
            commit: newest ?? CommitSummary(id: "", subject: "", author: "", time: 0),
            blocked: Dictionary(blocked) { first, _ in first }
        )
    }

    private func adopt(_ desired: DesiredState) {
        let (earlier, isNew) = (Set(self.desired?.diagnostics ?? []), self.desired?.commit != desired.commit)
        self.desired = desired
        self.mayPrune = true
        let errors = desired.diagnostics.filter { $0.severity == .error }
        if isNew {
            self.commitRecord = CommitRecord(
                commit: desired.commit,
                readAt: self.ports.wallClock.now(),
                errors: errors.count
            )
            self.note(
                .normal,
                "CommitRead",
                "commit \(desired.commit.id.prefix(10)): \(desired.commit.subject)",
                commit: desired.commit.id
            )
        }
        self.commitRecord?.errors = errors.count
        self.pending += self.commitRecord.map { [.commit($0)] } ?? []
        // A repository full of errors must not flood the log; `martlet validate` lists them all.
        for diagnostic in errors where !earlier.contains(diagnostic) {
            self.note(.warning, "ManifestInvalid", diagnostic.description, resource: diagnostic.resource)
            if self.pending.count > 200 { break }
        }
    }

    private func setSourceCondition(_ status: Condition.Status, _ reason: String, _ message: String) {
        let moved = status != self.sourceCondition.status
        self.sourceCondition = Condition(
            type: .sourceReady,
            status: status,
            reason: reason,
            message: message,
            lastTransitionTime: moved
                ? self.ports.wallClock.now().seconds : self.sourceCondition.lastTransitionTime
        )
    }

    /// Plans, performs the steps that only write facts, and plans again until there are none; then writes all of it
    /// in one transaction. False when the store refused: then nothing may be built on it.
    func planAndWrite(_ desired: DesiredState) -> Bool {
        let (before, noted, record) = (self.facts, self.pending, self.commitRecord)
        let now = self.ports.wallClock.now()
        self.noteSettings(of: desired)
        var observed = self.observed()
        self.plan = Planner.plan(desired: desired, observed: observed, now: now)
        var written: Set<StepAction> = []
        while true {
            // Nothing is written twice in one pass, so that no plan can keep the loop here.
            let writes = self.plan.steps.filter {
                $0.after.isEmpty && $0.action.writesFacts && written.insert($0.action).inserted
            }
            if writes.isEmpty { break }
            for step in writes {
                self.facts.record(step.action)
                observed.facts = self.facts
                self.record(step, desired: desired, before: before, at: now)
            }
            self.plan = Planner.plan(desired: desired, observed: observed, now: now)
        }
        self.noteConvergence(of: desired, at: now)
        let moved = self.conditionChanges(desired, observed, now)
        self.pending += moved.map { .conditions($0.key, $0.value) }
        guard self.writePending() else {
            (self.facts, self.pending, self.commitRecord) = (before, noted, record)
            return false
        }
        for (resource, conditions) in moved { self.conditions[resource] = conditions.isEmpty ? nil : conditions }
        return true
    }

    /// Writes down the settings that are in force by now: what is in force counts, not which step ended last.
    private func noteSettings(of desired: DesiredState) {
        for (endpoint, settings) in desired.settings where self.observation.settings[endpoint] == settings.revision {
            let variant = VariantID(namespace: endpoint.namespace, endpoint: endpoint.name)
            guard self.facts.variants[variant]?.settings?.revision != settings.revision else { continue }
            self.facts.record(.applySettings(endpoint, settings))
            self.pending += self.facts.variants[variant].map { [.variant(variant, $0)] } ?? []
        }
    }

    /// Looks for engines; opening their libraries is too slow for every pass.
    func findEngines() {
        self.engines = Set(self.ports.engines.reports().filter { $0.problem == nil }.map(\.name))
    }

    func observed() -> ObservedState {
        ObservedState(
            runtime: self.observation,
            facts: self.facts,
            failures: self.queue.failures,
            memoryBudget: self.memoryBudget,
            engines: self.engines
        )
    }

    /// Writes what is pending in one transaction; keeps it for the next try when the store refuses.
    @discardableResult
    func writePending() -> Bool {
        guard !self.pending.isEmpty else { return true }
        do {
            self.hub.publish(try self.ports.store.write(self.pending))
            self.pending = []
            return true
        } catch {
            self.logger.error("the control database cannot be written; will try again", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func conditionChanges(
        _ desired: DesiredState,
        _ observed: ObservedState,
        _ now: Timestamp
    ) -> [ResourceIdentity: [Condition]] {
        let status = StatusComputer.compute(
            desired: desired,
            observed: observed,
            plan: self.plan,
            previous: self.conditions,
            now: now
        )
        return status.conditions.filter { self.conditions[$0.key] != $0.value }
    }

    private func noteConvergence(of desired: DesiredState, at now: Timestamp) {
        guard var record = self.commitRecord, record.convergedAt == nil, self.hasConverged else { return }
        record.convergedAt = now
        self.commitRecord = record
        self.pending.append(.commit(record))
        self.note(.normal, "Converged", "nothing is left to do for commit \(desired.commit.id.prefix(10))")
    }

    /// Whether everything that can be applied is applied; what failed and is tried again still can.
    var hasConverged: Bool {
        self.plan.steps.isEmpty && !self.plan.waits.contains { $0.step != nil }
    }

    /// Settles a step that ended: notes what it found out, or when to try again.
    func settle(_ action: StepAction, _ result: Result<StepOutcome, any Error>) {
        let key = action.key
        if case .load(let instance) = action { self.pending.append(.endLoading(instance.key)) }
        switch result {
        case .success(let outcome):
            self.queue.succeed(key)
            for change in outcome.changes { self.facts.apply(change) }
            self.pending += outcome.changes
        case .failure where self.queue.isSuperseded(key) || Task.isCancelled:
            self.queue.abandon(key)
        case .failure(let error):
            let error = MartletError.wrapping(error)
            let failure = self.queue.fail(key, error, at: self.ports.wallClock.now(), jitter: self.ports.jitter())
            // Every failure at first, then ever fewer: 1, 2, 4, 8, …
            if failure.attempts & (failure.attempts - 1) == 0 {
                self.note(.warning, error.code, "\(key) failed (try \(failure.attempts)): \(error)")
            }
        }
    }

    /// Notes the instances that were ready at the last look and have failed since.
    func noteDeaths(in observation: RuntimeObservation) {
        for (instance, seen) in observation.instances where seen.state == .failed {
            guard self.observation.instances[instance]?.state == .ready else { continue }
            let now = self.ports.wallClock.now()
            self.queue.noteDeath(of: instance, seen.message, at: now, jitter: self.ports.jitter())
            self.note(.warning, "InstanceDied", "instance \(instance) is replaced: \(seen.message)")
        }
    }

    /// Adds an event to the next transaction.
    func note(
        _ severity: Event.Severity,
        _ reason: String,
        _ message: String,
        resource: ResourceIdentity? = nil,
        variant: VariantID? = nil,
        revision: Revision? = nil,
        commit: ObjectID? = nil
    ) {
        self.pending.append(
            .event(
                Event(
                    at: self.ports.wallClock.now(),
                    severity: severity,
                    resource: resource ?? variant?.resource,
                    variant: variant,
                    revision: revision,
                    commit: commit ?? self.desired?.commit.id,
                    reason: reason,
                    message: message
                )
            )
        )
    }
}
