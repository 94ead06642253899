package import Planning
package import Schema

extension InferenceServer: ServingRuntime {
    package func observe() async -> RuntimeObservation {
        let (runners, traffic, settings) = self.withState { ($0.runners, $0.traffic, $0.settings) }
        var observation = RuntimeObservation(
            instances: self.pool.observe(),
            runners: runners.mapValues(\.observation),
            traffic: traffic,
            settings: settings.mapValues(\.revision)
        )
        observation.abandonedCalls = self.pool.abandonedCalls
        return observation
    }

    package func load(_ instance: InstanceSpec, opening: ModelOpening) async throws {
        let engine = try self.engines.engine(named: instance.engine)
        try await self.pool.load(instance, opening: opening, engine: engine)
    }

    package func unload(_ instance: InstanceKey) async {
        await self.pool.unload(instance)
    }

    package func start(_ graph: RevisionGraph, replicas: Int) async throws {
        let key = RunnerKey(graph.variant, graph.revision)
        if let runner = self.runner(key) {
            runner.restart()
            try runner.resize(to: replicas)
            return
        }
        let runner = try self.makeRunner(graph)
        try runner.resize(to: replicas)
        self.withState { state in
            state.runners[key] = runner
            state.publish(graph.variant.resource)
        }
    }

    /// Instances that have answered the same requests for another ready runner are warm already: their warm-up is not
    /// repeated, so that a change of a prompt alone serves at once.
    package func warmUp(_ runner: RunnerKey) async throws {
        guard let warmed = self.runner(runner) else {
            throw MartletError("RunnerMissing", "\(runner) was not started", disposition: .waiting)
        }
        let others = self.withState { Array($0.runners.values) }
        let ready = others.filter { $0.observation.state == .ready }.flatMap { $0.graph.models.map(\.instance) }
        do {
            for instance in warmed.graph.models.map(\.instance)
            where !ready.contains(where: { $0.key == instance.key && $0.warmUp == instance.warmUp }) {
                try await self.pool.warmUp(instance)
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            warmed.fail("\(error)")
            throw error
        }
        warmed.becomeReady()
    }

    package func setTraffic(_ shares: [TrafficShare], for variant: VariantID) async {
        let now = self.wallClock.now()
        self.withState { state in
            let serving = Set(shares.filter { $0.weight > 0 }.map { RunnerKey(variant, $0.revision) })
            for key in state.since.keys where key.variant == variant && !serving.contains(key) {
                state.since[key] = nil
            }
            for key in serving where state.since[key] == nil { state.since[key] = now }
            state.traffic[variant] = shares.isEmpty ? nil : shares
            state.publish(variant.resource)
        }
    }

    package func apply(_ settings: EndpointSettings, to endpoint: ResourceIdentity) async {
        self.withState { state in
            state.settings[endpoint] = settings
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
            if stopped != nil { state.publish(runner.variant.resource) }
            return stopped
        }
        stopped?.stop()
        if stopped != nil { self.collector.retire(runner) }
    }

    package func remove(endpoint: ResourceIdentity) async {
        self.withState { state in
            state.settings[endpoint] = nil
            for variant in state.traffic.keys where variant.resource == endpoint { state.traffic[variant] = nil }
            for key in state.since.keys where key.variant.resource == endpoint { state.since[key] = nil }
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
        let program = try RunnerProgram(graph, clock: self.clock)
        let models = graph.models
        // What the scarcest model can work on at once; more would only wait inside of it.
        let slots = try models.map { model in
            let lease = try self.pool.lease(model.instance.key)
            defer { lease.release() }
            return lease.description.slots * max(1, model.instance.copies)
        }
        return Runner(
            graph,
            program: program,
            capacity: slots.min() ?? 1,
            clock: self.clock,
            lease: { [pool] in
                var leases: [ResourceIdentity: InstanceLease] = [:]
                for model in models { leases[model.identity] = try pool.lease(model.instance.key) }
                return LeasedModels(models: leases) { [leases] in
                    for lease in leases.values { lease.release() }
                }
            },
            onIdle: { [changeFeed] in changeFeed.notify() }
        )
    }
}
