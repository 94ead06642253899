package import Planning
package import Schema

extension InferenceServer: ServingRuntime {
    package func observe() async -> RuntimeObservation {
        let (runners, endpoints) = self.withState { ($0.runners, $0.endpoints) }
        var observation = RuntimeObservation(
            instances: self.pool.observe(),
            runners: runners.mapValues(\.observation),
            settings: endpoints.compactMapValues { $0.settings?.revision }
        )
        for variants in endpoints.values.map(\.variants) {
            for (variant, state) in variants where !state.shares.isEmpty { observation.traffic[variant] = state.shares }
        }
        observation.abandonedCalls = self.pool.abandonedCalls
        return observation
    }

    package func observeChanges() async -> RuntimeChanges {
        // Marks are taken away before what they name is looked at: what changes meanwhile is marked again.
        let found: ([RunnerKey: Runner?], RuntimeChanges)? = self.withState { state in
            defer { state.unseen = Unseen() }
            return state.unseen.map { state.changes(in: $0) }
        }
        guard let (runners, seen) = found else { return RuntimeChanges(everything: await self.observe()) }
        var changes = seen
        changes.runners = runners.mapValues { $0?.observation }
        changes.instances = self.pool.observe()
        changes.abandonedCalls = self.pool.abandonedCalls
        return changes
    }

    package func requestsUnderWay() async -> [RunnerKey: Int] {
        let runners = self.withState { $0.runners }
        return runners.compactMapValues { runner in
            let count = runner.observation.inFlight
            return count > 0 ? count : nil
        }
    }

    package func uses(of instances: Set<InstanceKey>) async -> [InstanceKey: InstanceUse] {
        self.pool.uses(of: instances)
    }

    package func demand(of variants: Set<VariantID>) async -> [VariantID: RequestDemand] {
        let runners = self.withState { state in
            variants.map { variant in
                let shares = state.endpoints[variant.resource]?.variants[variant]?.shares ?? []
                return (variant, shares.compactMap { state.runners[RunnerKey(variant, $0.revision)] })
            }
        }
        let demands = runners.map { variant, runners in
            let demands = runners.map { $0.takeDemand() }
            return (
                variant,
                RequestDemand(
                    average: demands.reduce(0) { $0 + $1.average },
                    now: demands.reduce(0) { $0 + $1.now }
                )
            )
        }
        return Dictionary(uniqueKeysWithValues: demands)
    }

    package func load(_ instance: InstanceSpec, opening: ModelOpening) async throws {
        let engine = try self.engines.engine(named: instance.engine)
        self.withState { $0.warmUps[instance.key] = nil }
        try await self.pool.load(instance, opening: opening, engine: engine)
    }

    package func unload(_ instance: InstanceKey) async {
        self.withState { $0.warmUps[instance] = nil }
        await self.pool.unload(instance)
    }

    package func start(_ graph: RevisionGraph, replicas: Int) async throws {
        let key = RunnerKey(graph.variant, graph.revision)
        let known = self.runner(key)
        let runner = try known ?? self.makeRunner(graph)
        // A program whose files are not to be had, or that cannot be shut in here, must not be found out by a request.
        if known == nil, let programs = self.programs {
            for program in graph.programs { try await programs.prepare(program) }
        }
        known?.restart()
        try runner.resize(to: replicas)
        if !graph.hasWarmUps { runner.becomeReady() }
        guard known == nil else { return }
        self.withState { state in
            state.runners[key] = runner
            state.unseen?.runners.insert(key)
            state.publish(graph.variant.resource)
        }
    }

    /// Instances that have answered the same requests for another runner since they were loaded are warm already: their
    /// warm-up is not repeated, so that a change of a prompt alone serves at once.
    package func warmUp(_ runner: RunnerKey) async throws {
        guard let warmed = self.runner(runner) else {
            throw MartletError("RunnerMissing", "\(runner) was not started", disposition: .waiting)
        }
        do {
            for instance in warmed.graph.models.map(\.instance) where !instance.isLazy && !self.isWarm(instance) {
                try await self.pool.warmUp(instance)
                _ = self.withState { $0.warmUps[instance.key, default: []].insert(instance.warmUp) }
            }
            try await self.openLookups(of: warmed)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            warmed.fail("\(error)")
            throw error
        }
        warmed.becomeReady()
    }

    package func refuse(_ instance: InstanceKey, because error: MartletError) async {
        self.pool.refuse(instance, because: error)
    }

    private func isWarm(_ instance: InstanceSpec) -> Bool {
        self.withState { $0.warmUps[instance.key]?.contains(instance.warmUp) ?? false }
    }

    package func setTraffic(_ shares: [TrafficShare], for variant: VariantID) async {
        let now = self.wallClock.now()
        self.withState { state in
            var serving = VariantState(shares: shares)
            let since = state.endpoints[variant.resource]?.variants[variant]?.since ?? [:]
            for share in shares where share.weight > 0 { serving.since[share.revision] = since[share.revision] ?? now }
            state.endpoints[variant.resource, default: EndpointState()].variants[variant] =
                shares.isEmpty ? nil : serving
            state.unseen?.variants.insert(variant)
            state.publish(variant.resource)
        }
    }

    package func apply(_ settings: EndpointSettings, to endpoint: ResourceIdentity) async {
        self.withState { state in
            state.endpoints[endpoint, default: EndpointState()].settings = settings
            state.unseen?.endpoints.insert(endpoint)
            state.publish(endpoint)
        }
    }

    package func scale(_ runner: RunnerKey, replicas: Int) async throws {
        guard let scaled = self.runner(runner) else {
            throw MartletError("RunnerMissing", "\(runner) was not started", disposition: .waiting)
        }
        try scaled.resize(to: replicas)
    }

    package func drain(_ runner: RunnerKey, timeout: ManifestDuration) async {
        await self.runner(runner)?.drain(timeout: timeout.duration)
    }

    package func stop(_ runner: RunnerKey) async {
        let stopped = self.withState { state in
            let stopped = state.runners.removeValue(forKey: runner)
            if stopped != nil {
                state.unseen?.runners.insert(runner)
                state.publish(runner.variant.resource)
            }
            return stopped
        }
        stopped?.stop()
        if stopped != nil { self.collector.retire(runner) }
    }

    package func remove(endpoint: ResourceIdentity) async {
        self.withState { state in
            let gone = state.endpoints.removeValue(forKey: endpoint)
            state.unseen?.variants.formUnion((gone?.variants ?? [:]).keys)
            state.unseen?.endpoints.insert(endpoint)
            state.publish(endpoint)
        }
    }

    package func setCommit(_ commit: ObjectID) async {
        self.withState { state in
            state.routes.commit = commit
            state.routes.version += 1
        }
    }

    package func changes() -> AsyncStream<Void> {
        self.changeFeed.subscribe()
    }

    private func runner(_ key: RunnerKey) -> Runner? {
        self.withState { $0.runners[key] }
    }

    private func makeRunner(_ graph: RevisionGraph) throws -> Runner {
        // What cannot be compiled must not start.
        let program = try RunnerProgram(graph, clock: self.clock)
        let (models, key) = (graph.models, RunnerKey(graph.variant, graph.revision))
        for model in models {
            guard let description = self.pool.description(of: model.instance.key) else { continue }
            try program.requireText(from: model.identity, description)
        }
        // What the scarcest model can work on at once; more would only wait inside of it.
        let measure = { @Sendable [pool] () -> Int? in
            let slots = models.map { model in
                pool.description(of: model.instance.key).map { $0.slots * max(1, model.instance.copies) }
            }
            return slots.contains(nil) ? nil : slots.compactMap(\.self).min() ?? 1
        }
        return Runner(
            graph,
            capacity: measure(),
            clock: self.clock,
            measure: measure,
            lease: { [pool] onLoaded in
                var found: [ResourceIdentity: any CompletionModel] = [:]
                var leases: [InstanceLease] = []
                for model in models {
                    let lease = try pool.lease(model.instance, onLoaded: onLoaded)
                    leases.append(lease)
                    found[model.identity] = lease
                }
                return LeasedModels(models: found) { [leases] in
                    for lease in leases { lease.release() }
                }
            },
            onIdle: { [changeFeed] in changeFeed.notify() },
            onAwaited: { [changeFeed] in changeFeed.notify() },
            onChange: { [weak self] in
                guard let self else { return }
                self.withState { _ = $0.unseen?.runners.insert(key) }
            }
        )
    }
}

extension InferenceServer.State {
    /// What has become of what was marked; the runners still have to be asked.
    fileprivate func changes(in unseen: InferenceServer.Unseen) -> ([RunnerKey: Runner?], RuntimeChanges) {
        var changes = RuntimeChanges()
        for variant in unseen.variants {
            changes.traffic[variant] = self.endpoints[variant.resource]?.variants[variant]?.shares ?? []
        }
        for endpoint in unseen.endpoints {
            changes.settings.updateValue(self.endpoints[endpoint]?.settings?.revision, forKey: endpoint)
        }
        let runners = unseen.runners.map { ($0, self.runners[$0]) }
        return (Dictionary(uniqueKeysWithValues: runners), changes)
    }
}
