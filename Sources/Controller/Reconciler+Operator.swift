internal import ManifestYAML
package import Planning
package import Schema

extension Reconciler: OperatorCommands {
    package func status() async throws -> StatusView {
        let underWay = await self.ports.runtime.requestsUnderWay()
        let desired = self.desired ?? self.remembered ?? DesiredState.none
        let sight = self.sight(of: desired, underWay)
        let endpoints = self.book.endpoints(atMost: StatusView.listLimit)
        return StatusView(
            version: self.version,
            source: self.sourceView(),
            sources: self.sourceViews(),
            sync: self.sync,
            health: self.desired == nil && self.remembered == nil ? .unknown : self.book.health,
            conditions: [self.stateCondition],
            suspended: self.facts.suspensions.contains(.everything),
            endpoints: endpoints.listed.map { self.view(of: $0, in: sight) },
            moreEndpoints: endpoints.more,
            diagnostics: self.desired?.diagnostics ?? [],
            holds: self.facts.holds,
            waits: self.planner.waits(with: self.update),
            guarded: self.plan.guarded,
            pendingSteps: self.plan.steps.count,
            memoryBytes: self.observation.instances.values.reduce(0) { $0 + $1.memoryBytes },
            memoryBudget: self.memoryBudget,
            abandonedCalls: self.observation.abandonedCalls
        )
    }

    package func resources(_ query: ResourceQuery) async throws -> ResourcePage {
        let sight = self.sight(of: self.desired ?? self.remembered ?? DesiredState.none)
        let (identities, isLast) = query.page(of: self.book.identities)
        return ResourcePage(
            resources: await self.withUses(identities.map { self.view(of: $0, in: sight) }),
            next: isLast ? nil : identities.last
        )
    }

    package func resource(_ identity: ResourceIdentity) async throws -> ResourceView {
        let sight = await self.sightForPeople()
        guard self.book.has(identity) else { throw self.unknown(identity) }
        var view = await self.withUses([self.view(of: identity, in: sight)])[0]
        view.spec = self.desired?.resources[identity]?.canonicalSpec
        return view
    }

    package func plan() async throws -> Plan {
        var plan = self.plan
        plan.waits = self.planner.waits(with: self.update)
        plan.proposed = self.proposedPlans
        plan.obstacles = self.obstacles
        return plan
    }

    package func events(_ query: EventQuery) async throws -> [Event] {
        let events = try self.ports.store.events(query)
        if let resource = query.resource, events.isEmpty, !self.book.has(resource),
            try self.ports.store.events(EventQuery(resource: resource, limit: 1)).isEmpty
        {
            throw self.unknown(resource)
        }
        return events
    }

    package func manifests(kind: Kind?, namespace: String?) async throws -> [ManifestView] {
        guard let desired = self.desired else {
            throw MartletError("Conflict", "no commit is in force yet: see 'martlet status'")
        }
        return desired.resources.values
            .filter { resource in
                (kind == nil || resource.identity.kind == kind)
                    && (namespace == nil || resource.identity.namespace == namespace)
            }
            .sorted { $0.identity < $1.identity }
            .map { ManifestView($0) }
    }

    package func eventStream() async -> AsyncStream<Event> { self.hub.follow() }

    package func history(of variant: VariantID?, limit: Int) async throws -> HistoryView {
        let promotions = try self.ports.store.promotions(of: variant, limit: limit)
        if let variant, promotions.isEmpty, self.facts.variants[variant] == nil, self.desired?.variants[variant] == nil
        {
            guard self.book.has(variant.resource) else { throw self.unknown(variant.resource) }
            // An endpoint that is blocked has no variant yet, and is there.
            if let tenant = variant.tenant {
                throw MartletError("NotFound", "\(variant.resource) has no variant of tenant '\(tenant)'")
            }
        }
        return HistoryView(promotions: promotions, commits: try self.ports.store.commits(limit: limit))
    }

    package func holds() async throws -> [Hold] { self.facts.holds }

    package func audit(limit: Int) async throws -> [AuditEntry] { try self.ports.store.audit(limit: limit) }

    package func verifyAudit() async throws -> AuditVerification { try self.ports.store.verifyAudit() }

    package func engines() async throws -> [EngineReport] { self.ports.engines.reports() }

    package func sync(to revision: String?, _ request: OperatorRequest) async throws -> CommitSummary {
        let wish = try self.syncRequest(revision)
        try self.decide("sync", revision.map { "source to \($0)" } ?? "source", request, [])
        self.findEngines()
        let commit = try await withCheckedThrowingContinuation { self.readAgain(for: $0, wish, by: request.actor) }
        // What this read has found may be what a window keeps waiting.
        if revision == nil, self.pendingCommit != nil { _ = try self.syncRequest(nil) }
        return commit
    }

    /// Reads the source again at once, and leaves it to the gate what comes into force: for hooks, which only tell that
    /// there may be something new.
    package func look(_ request: OperatorRequest) async throws -> CommitSummary {
        try self.decide("sync", "source", request, [])
        return try await withCheckedThrowingContinuation { self.readAgain(for: $0, nil, by: request.actor) }
    }

    package func confirm(_ commit: String, _ request: OperatorRequest) async throws -> PruneConfirmation {
        let confirmation = try self.confirmation(of: commit, request)
        let count = confirmation.endpoints.count
        try self.decide(
            "confirm",
            "commit \(confirmation.commit): it removes \(count) \(count == 1 ? "endpoint" : "endpoints")",
            request,
            [.confirmPrune(confirmation)]
        )
        self.desired?.guarded.removeAll { $0.commit.id == confirmation.commit }
        self.changes.isEverything = true
        return confirmation
    }

    package func suspend(_ suspension: Suspension, _ request: OperatorRequest) async throws {
        try self.check(suspension)
        try self.decide("suspend", suspension.subject, request, [.suspend(suspension)])
    }

    package func resume(_ suspension: Suspension, _ request: OperatorRequest) async throws {
        guard self.facts.suspensions.contains(suspension) else {
            let what = suspension == .everything ? "not everything" : "\(suspension.subject)"
            throw MartletError("Conflict", "\(what) is suspended: there is nothing to resume")
        }
        try self.decide("resume", suspension.subject, request, [.resume(suspension)])
    }

    package func rollback(
        _ variant: VariantID,
        to revision: String?,
        _ request: OperatorRequest
    ) async throws -> Hold {
        let facts = try self.variantFacts(variant)
        guard let desired = self.desired?.variants[variant] else {
            throw MartletError("Conflict", "\(variant) has no revision in the newest commit to roll back from")
        }
        let target = try self.rollbackTarget(of: variant, facts, from: desired.revision, to: revision)
        let hold = Hold(
            variant: variant,
            revision: desired.revision,
            reason: "RolledBack",
            message: request.reason,
            actor: request.actor,
            at: self.ports.wallClock.now(),
            commit: desired.commit,
            target: target
        )
        try self.decide("rollback", "\(variant)#\(desired.revision) to \(target)", request, [.hold(hold)])
        return hold
    }

    package func retry(_ variant: VariantID, _ request: OperatorRequest) async throws {
        let (desired, facts) = (self.desired?.variants[variant], self.facts.variants[variant])
        // What the promoted revision needs may be what does not load.
        let graphs = [desired, facts?.promoted.flatMap { facts?.graph(of: $0) }].compactMap(\.self)
        guard let revision = graphs.first?.revision else {
            throw MartletError("NotFound", "\(variant) has no revision in the newest commit, and none was promoted")
        }
        let instances = Set(graphs.flatMap(\.models).map(\.instance.key))
        let forgiven = instances.intersection(self.facts.crashed).sorted()
        let steps = Set(graphs.flatMap(Reconciler.fallibleSteps))
        let isHeld = self.facts.holds.contains { $0.variant == variant && $0.revision == revision }
        guard
            isHeld || !forgiven.isEmpty || self.queue.failures.keys.contains(where: steps.contains)
                || self.isWaiting(variant.resource)
        else {
            throw MartletError("Conflict", "\(variant) has nothing to try again: no hold, no failure and no crash")
        }
        try self.decide(
            "retry",
            "\(variant)#\(revision)",
            request,
            [.liftHold(variant, revision)] + forgiven.map { .forgiveCrash($0) }
        )
        self.queue.forget { steps.contains($0) }
        self.findEngines()
    }

    package func release(_ variant: VariantID, _ request: OperatorRequest) async throws {
        let holds = self.facts.holds.filter { $0.variant == variant }
        guard !holds.isEmpty else {
            throw MartletError("Conflict", "\(variant) has no hold to release")
        }
        try self.decide("release", variant.description, request, holds.map { .liftHold(variant, $0.revision) })
    }
}

extension Reconciler {
    /// How many endpoints are named that keep the process from being ready.
    private static let namedObstacles = 20

    /// What keeps the process from being ready; nothing once it was: a change that comes later shows in the status, and
    /// must not take the endpoints that serve out of service.
    package func obstaclesToReadiness() -> [String] {
        if self.wasReady { return [] }
        guard let desired = self.desired ?? self.remembered, self.plan.commit == desired.commit.id else {
            return ["no commit is read yet"]
        }
        // What cannot be brought about now, such as a revision that is held, is not waited for.
        if self.hasConverged {
            self.wasReady = true
            return []
        }
        // An endpoint that is settled serves, or waits for a person.
        let silent = self.planner.open.lazy.flatMap { self.planner.index.variants(of: $0) }.filter { variant in
            let isExpected = desired.variants[variant] != nil || self.facts.variants[variant]?.promoted != nil
            return isExpected && self.observation.traffic[variant]?.isEmpty ?? true
        }
        // Whoever asks again and again must not hold the loop up with thousands of names.
        let named = silent.prefix(Self.namedObstacles + 1).sorted()
        self.wasReady = named.isEmpty
        return named.prefix(Self.namedObstacles).map { "\($0) does not serve yet" }
            + (named.count > Self.namedObstacles ? ["nor do others"] : [])
    }

    /// Whether something is in an endpoint's way, which looking again may find gone: an engine that was missing, say.
    private func isWaiting(_ endpoint: ResourceIdentity) -> Bool {
        self.desired?.blocked[endpoint] != nil
            || self.planner.waits(with: self.update).contains { $0.subject == endpoint }
    }

    /// The steps that may fail on the way to a revision.
    private static func fallibleSteps(of graph: RevisionGraph) -> [StepKey] {
        let instances = graph.models.map(\.instance).flatMap { [StepAction.probe($0), .load($0)] }
        let runner = RunnerKey(graph.variant, graph.revision)
        return (instances + [.start(graph, replicas: 1), .warmUp(runner)]).map(\.key)
    }

    /// Whether the newest commit is in force, and all of it applied.
    private var sync: SyncStatus {
        if self.pendingCommit != nil { return .outOfSync }
        guard let desired = self.desired else { return .unknown }
        let applied = self.book.sync(desired)
        return applied == .synced ? self.sourceSync : applied
    }

    /// What views are made of, with the requests that are under way at this moment.
    private func sightForPeople() async -> StatusSight {
        let underWay = await self.ports.runtime.requestsUnderWay()
        return self.sight(of: self.desired ?? self.remembered ?? DesiredState.none, underWay)
    }

    /// That there is no such resource, and which there are.
    private func unknown(_ identity: ResourceIdentity) -> MartletError {
        let names = self.book.identities.filter { $0.kind == identity.kind }.map { "\($0.namespace)/\($0.name)" }
        let more = names.count > 10 ? " and \(names.count - 10) more" : ""
        let known = names.isEmpty ? "there is none" : "there are " + names.prefix(10).joined(separator: ", ") + more
        return MartletError("NotFound", "no \(identity) in the commit or running; of that kind \(known)")
    }

    /// Writes a person's decision with its audit entry and event, then lets the loop act on it.
    private func decide(
        _ action: String,
        _ subject: String,
        _ request: OperatorRequest,
        _ changes: [FactChange]
    ) throws {
        let now = self.ports.wallClock.now()
        let commit = self.desired?.commit.id
        let because = request.reason.isEmpty ? "" : ": \(request.reason)"
        // With what is pending, so that everything is written in the order in which it happened.
        let written = try self.ports.store.write(
            self.pending + changes + [
                .audit(
                    AuditEntry(
                        at: now,
                        actor: request.actor,
                        action: action,
                        subject: subject,
                        reason: request.reason,
                        origin: request.origin,
                        commit: commit
                    )
                ),
                .event(
                    Event(
                        at: now,
                        commit: commit,
                        reason: "Operator",
                        message: "\(request.actor) asked: \(action) \(subject)\(because)"
                    )
                ),
            ]
        )
        self.pending = []
        for change in changes { self.apply(change) }
        if !changes.isEmpty { self.line?.interrupt() }
        self.hub.publish(written)
        self.mailbox.post(.wake)
    }

    private func check(_ suspension: Suspension) throws {
        guard case .resource(let identity) = suspension else { return }
        guard self.desired?.resources[identity] != nil else {
            throw self.unknown(identity)
        }
    }

    private func variantFacts(_ variant: VariantID) throws -> VariantFacts {
        guard let facts = self.facts.variants[variant] else {
            guard self.book.has(variant.resource) else { throw self.unknown(variant.resource) }
            throw MartletError(
                "NotFound",
                "\(variant) has never been rolled out; 'martlet describe \(variant.resource)' says what keeps it"
            )
        }
        return facts
    }

    /// The revision to go back to: the one whose digits were given, else the promoted one that is not desired.
    private func rollbackTarget(
        of variant: VariantID,
        _ facts: VariantFacts,
        from desired: Revision,
        to digits: String?
    ) throws -> Revision {
        if let digits {
            let matches = facts.graphs.map(\.revision).filter { $0.digest.hex.hasPrefix(digits.lowercased()) }
            guard let match = matches.first, matches.count == 1 else {
                let known = facts.graphs.map(\.revision.description).joined(separator: ", ")
                let problem = matches.isEmpty ? "is not kept" : "names more than one revision"
                throw MartletError("BadRequest", "revision '\(digits)' of \(variant) \(problem); kept are \(known)")
            }
            guard match != desired else {
                throw MartletError("Conflict", "\(match) is what the newest commit asks for; 'martlet retry' tries it")
            }
            return match
        }
        if let promoted = facts.promoted, promoted != desired { return promoted }
        guard let earlier = facts.earlier.last(where: { $0 != desired && facts.graph(of: $0) != nil }) else {
            throw MartletError("Conflict", "\(variant) has no earlier promoted revision to go back to")
        }
        return earlier
    }
}

extension Suspension {
    /// What is suspended, in words.
    var subject: String {
        switch self {
        case .everything: "everything"
        case .resource(let identity): identity.description
        }
    }
}

extension DesiredState {
    /// Of no commit at all: nothing is wanted.
    fileprivate static var none: DesiredState {
        DesiredState(commit: CommitSummary(id: "", subject: "", author: "", time: 0))
    }
}
