internal import Logging
internal import Planning
internal import Schema

extension Reconciler {
    /// Takes over what was read, or notes why the source could not be.
    func accept(_ result: Result<SourceReading, any Error>, of read: SourceRead) {
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
                desired.retained.formUnion(self.endpointsOfUnreadSources(in: desired))
                self.adopt(desired, reading.changed, by: read.actor)
            }
            self.noteSources()
            self.notePending(of: reading)
            if self.desired != nil { self.remembered = nil }
            if let failure = reading.failure {
                self.note(unreadable: .wrapping(failure))
                return
            }
            if self.isPartlyUnreadable(reading) { self.readAgainLater() } else { self.sourceRetry.succeed() }
            if let lost = self.lostCommit(of: reading) {
                self.note(lost: lost)
            } else {
                self.setSourceCondition(.yes, "Read", "commit \(CommitSet.words(for: reading.commit.id)) is read")
            }
        case .failure(let error):
            // A commit that a person has misspelt says nothing about the source.
            if case .commit = read.request { return }
            let error = MartletError.wrapping(error)
            self.noteSources()
            self.note(unreadable: error)
            if self.desired == nil { self.remember(unreadable: error) }
        }
    }

    /// Whether one of several sources could not be read, or the commit that waits.
    private func isPartlyUnreadable(_ reading: SourceReading) -> Bool {
        if case .failure(let error)? = reading.pending?.desired, error.code != SignatureGuard.rejected { return true }
        return self.sourceConditions.values.contains { $0.status == .no && $0.reason != SignatureGuard.rejected }
    }

    private func readAgainLater() {
        self.sourceRetry.fail(at: self.ports.wallClock.now(), jitter: self.ports.jitter())
    }

    private func note(unreadable error: MartletError) {
        // What a commit lacks in signatures is no better a minute later.
        if error.code == SignatureGuard.rejected { self.sourceRetry.succeed() } else { self.readAgainLater() }
        if self.sourceCondition.message != error.description, !self.note(refused: error) {
            self.note(.warning, error.code, "the source cannot be read: \(error)")
        }
        self.setSourceCondition(.no, error.code, error.description)
    }

    private func note(lost: MartletError) {
        if self.sourceCondition.reason != lost.code { self.note(.warning, lost.code, lost.message) }
        self.setSourceCondition(.no, lost.code, lost.message)
    }

    /// Keeps what was promoted, as long as the commit in force cannot be read.
    func remember(unreadable error: MartletError) {
        self.remember("SourceUnreadable", "the source cannot be read: \(error)")
    }

    /// Keeps what was promoted, as long as no commit is in force.
    func remember(_ word: String, _ message: String) {
        let newest = (try? self.ports.store.commits(limit: 1))?.first?.commit
        let blocked = self.facts.variants.keys.map(\.resource).map { endpoint in
            (endpoint, DesiredState.Blocker(resource: endpoint, message: message, word: word))
        }
        self.changes.isEverything = true
        self.remembered = DesiredState(
            commit: newest ?? CommitSummary(id: "", subject: "", author: "", time: 0),
            blocked: Dictionary(blocked) { first, _ in first }
        )
    }

    private func adopt(_ desired: DesiredState, _ changed: Set<ResourceIdentity>?, by actor: Actor) {
        let (earlier, isNew) = (Set(self.desired?.diagnostics ?? []), self.desired?.commit.id != desired.commit.id)
        var desired = desired
        desired.guarded = self.guardedRemovals(of: desired, changed)
        let before = self.desired
        if let line = self.line, desired.variants != before?.variants || desired.settings != before?.settings {
            line.interrupt()
        }
        if before == nil { self.facts.share(desired) }
        self.noteDesired(changed, from: before, to: desired)
        self.desired = desired
        self.noteApplied(desired.commit, by: actor)
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
            self.noteSigner(of: desired.commit)
        }
        self.commitRecord?.errors = errors.count
        self.pending += self.commitRecord.map { [.commit($0)] } ?? []
        // A repository full of errors must not flood the log; `martlet validate` lists them all.
        for diagnostic in errors where !earlier.contains(diagnostic) {
            let word = desired.policyReview.isFinding(diagnostic) ? PolicyReview.violation : "ManifestInvalid"
            self.note(.warning, word, diagnostic.description, resource: diagnostic.resource)
            if self.pending.count > 200 { break }
        }
        self.noteBlocked(desired, after: before)
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
        let (noted, record) = (self.pending, self.commitRecord)
        let now = self.ports.wallClock.now()
        self.undo = FactsUndo(self.facts)
        defer { self.undo = nil }
        self.observed.failures = self.queue.failures
        self.noteSettings(of: desired)
        var looked = LookedAt()
        self.planAgain(desired, at: now, &looked)
        var written: Set<StepAction> = []
        while true {
            // Nothing is written twice in one pass, so that no plan can keep the loop here.
            let writes = self.plan.steps.filter {
                $0.after.isEmpty && $0.action.writesFacts && written.insert($0.action).inserted
            }
            if writes.isEmpty { break }
            for step in writes {
                self.record(step.action)
                self.record(step, desired: desired, at: now)
            }
            self.planAgain(desired, at: now, &looked)
        }
        self.noteConvergence(of: desired, at: now)
        let shortages = self.noteShortages(looked)
        let moved = self.judge(looked, desired, at: now)
        self.pending += moved.map { .conditions($0.key, $0.value) }
        guard self.writePending() else {
            self.undo?.restore(&self.observed.facts)
            (self.pending, self.commitRecord, self.changes) = (noted, record, .everything)
            return false
        }
        self.appliedSettings = [:]
        self.book.accept(moved)
        self.shortages = shortages
        return true
    }

    /// Notes the settings that are in force by now: what is in force counts, not which step ended last, nor what the
    /// newest commit says.
    private func noteSettings(of desired: DesiredState) {
        let endpoints =
            self.changes.isEverything
            ? Set(desired.settings.keys).union(self.appliedSettings.keys) : self.changes.endpoints
        for endpoint in endpoints {
            let variant = VariantID(defaultOf: endpoint)
            let inForce = self.observation.settings[endpoint]
            let candidates = [desired.settings[endpoint], self.appliedSettings[endpoint]].compactMap(\.self)
            guard let settings = candidates.first(where: { $0.revision == inForce }),
                self.facts.variants[variant]?.settings?.revision != settings.revision
            else { continue }
            self.record(.applySettings(endpoint, settings))
            // As long as nothing of the endpoint is promoted, a restart needs them from the commit only: they are written
            // with its promotion.
            let variants = self.planner.index.variants(of: endpoint)
            guard variants.contains(where: { self.facts.variants[$0]?.promoted != nil }) else { continue }
            self.pending += self.facts.variants[variant].map { [.variant(variant, $0)] } ?? []
        }
    }

    /// Looks for engines; opening their libraries is too slow for every pass.
    func findEngines() {
        let usable = self.ports.engines.reports().filter { $0.problem == nil }
        let engines = Set(usable.map(\.name))
        let accelerators = Dictionary(uniqueKeysWithValues: usable.map { ($0.name, Set($0.accelerators)) })
        if self.observed.engines != engines || self.observed.accelerators != accelerators {
            self.changes.isEverything = true
        }
        self.observed.engines = engines
        self.observed.accelerators = accelerators
    }

    /// Writes what is pending in one transaction; keeps it for the next try when the store refuses.
    @discardableResult
    func writePending() -> Bool {
        let isTrial = self.stateCondition.status == .no
        guard !self.pending.isEmpty || isTrial else { return true }
        do {
            self.hub.publish(try self.ports.store.write(self.pending + (isTrial ? [self.endOfRefusals] : [])))
            self.metrics.writes += 1
            self.pending = []
            if isTrial { self.setStateCondition(nil) }
            return true
        } catch {
            self.setStateCondition(.wrapping(error))
            self.logger.error("the control database cannot be written; will try again", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func noteConvergence(of desired: DesiredState, at now: Timestamp) {
        guard var record = self.commitRecord, record.convergedAt == nil, self.hasConverged else { return }
        record.convergedAt = now
        self.commitRecord = record
        self.pending.append(.commit(record))
        self.note(.normal, "Converged", self.wordsOfConvergence(to: desired))
    }

    /// Whether everything that can be applied is applied; what failed and is tried again still can.
    var hasConverged: Bool {
        self.plan.steps.isEmpty && !self.plan.waits.contains { $0.step != nil }
    }

    /// Settles a step that ended: notes what it found out, or when to try again.
    func settle(_ action: StepAction, _ result: Result<StepOutcome, any Error>) {
        let key = action.key
        self.noteScaling(action, hasSucceeded: (try? result.get()) != nil)
        if case .load(let instance) = action { self.pending.append(.endLoading(instance.key)) }
        switch result {
        case .success(let outcome):
            self.queue.succeed(key)
            if case .applySettings(let endpoint, let settings) = action { self.appliedSettings[endpoint] = settings }
            for change in outcome.changes { self.apply(change) }
            self.pending += outcome.changes
            self.noteDemandMet(by: action)
        case .failure where self.queue.isSuperseded(key) || Task.isCancelled:
            self.queue.abandon(key)
        case .failure(is StoreRefusal), .failure(is StepSkipped):
            // Nothing is wrong with the step; the next plan finds out when it may begin.
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
    func noteDeaths(in instances: [InstanceKey: InstanceObservation]) {
        for (instance, seen) in instances where seen.state == .failed {
            guard self.observation.instances[instance]?.state == .ready else { continue }
            let now = self.ports.wallClock.now()
            self.queue.noteDeath(of: instance, seen.message, at: now, jitter: self.ports.jitter())
            self.note(.warning, "InstanceDied", "instance \(instance) is replaced: \(seen.message)")
        }
    }

    /// Notes which servers elsewhere are left alone for a while since the last look, and which answer again.
    func noteUpstreams(in instances: [InstanceKey: InstanceObservation]) {
        for (instance, seen) in instances where seen.state == .ready {
            let (before, now) = (self.observation.instances[instance]?.coolingDown ?? [:], seen.coolingDown ?? [:])
            for (url, reason) in now.sorted(by: { $0.key < $1.key }) where before[url] == nil {
                self.note(
                    .warning,
                    "UpstreamCoolingDown",
                    "\(url), which answers for instance \(instance), is left alone for a while: \(reason)"
                )
            }
            for url in before.keys.sorted() where now[url] == nil {
                self.note(.normal, "UpstreamAnswers", "\(url) answers again for instance \(instance)")
            }
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
                    commit: commit ?? self.commit(of: resource ?? variant?.resource),
                    reason: reason,
                    message: message
                )
            )
        )
    }
}
