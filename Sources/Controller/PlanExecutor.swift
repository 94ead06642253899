package import Planning
internal import Schema

/// What a finished step leaves to be written down.
package struct StepOutcome: Sendable, Hashable {
    package var changes: [FactChange]

    package init(changes: [FactChange] = []) {
        self.changes = changes
    }
}

/// The store did not take what has to be written before a step may act.
struct StoreRefusal: Error {
    var cause: any Error
}

/// Performs the effects of steps through the ports. It holds no policy: what to do, and whether again, is the plan's.
package struct PlanExecutor: Sendable {
    private let runtime: any ServingRuntime
    private let artifacts: any ArtifactStore
    private let probe: any ModelProbe
    private let store: any ControlStore
    private let lookups: (any LookupStore)?
    private let programs: (any ProgramCaller)?
    private let clock: any Clock<Duration>
    private let loadDeadline: Duration
    private let probes: Turnstile

    /// - Parameters:
    ///   - lookups: What is pruned with the artifacts; nil where there is none. So are the programs.
    ///   - loadDeadline: How long an engine may take to load a model that its probe has shown to load.
    ///   - probesAtOnce: How many children may open models at the same time.
    package init(
        runtime: any ServingRuntime,
        artifacts: any ArtifactStore,
        probe: any ModelProbe,
        store: any ControlStore,
        lookups: (any LookupStore)? = nil,
        programs: (any ProgramCaller)? = nil,
        clock: any Clock<Duration> = ContinuousClock(),
        loadDeadline: Duration = .seconds(300),
        probesAtOnce: Int = 4
    ) {
        self.runtime = runtime
        self.artifacts = artifacts
        self.probe = probe
        self.store = store
        self.lookups = lookups
        self.programs = programs
        self.clock = clock
        self.loadDeadline = loadDeadline
        self.probes = Turnstile(atOnce: probesAtOnce)
    }

    /// Performs a step that acts on the runtime. Steps that only write facts do nothing here.
    package func perform(_ action: StepAction) async throws -> StepOutcome {
        switch action {
        case .probe(let instance):
            // The next one begins when one ends: a pass, of which each costs time, need not come between.
            return try await self.probes.pass { try await self.probe(instance) }
        case .load(let instance):
            try await self.load(instance)
        case .start(let graph, let replicas):
            try await self.runtime.start(graph, replicas: replicas)
        case .warmUp(let runner):
            try await self.runtime.warmUp(runner)
        case .setTraffic(let variant, let shares):
            await self.runtime.setTraffic(shares, for: variant)
        case .applySettings(let endpoint, let settings):
            await self.runtime.apply(settings, to: endpoint)
        case .scale(let runner, let replicas):
            try await self.runtime.scale(runner, replicas: replicas)
        case .drain(let runner, let timeout):
            await self.runtime.drain(runner, timeout: timeout)
        case .stop(let runner):
            await self.runtime.stop(runner)
        case .unload(let instance):
            await self.runtime.unload(instance)
        case .removeEndpoint(let endpoint):
            await self.runtime.remove(endpoint: endpoint)
        case .beginRollout, .promote, .advanceRollout, .hold, .liftHold, .forget:
            break
        }
        return StepOutcome()
    }

    /// Removes the files of all other artifacts, and the indexes and programs that none of the graphs needs.
    package func prune(keeping artifacts: Set<Artifact>, _ graphs: [RevisionGraph]) async {
        await self.artifacts.prune(keeping: Array(artifacts))
        await self.lookups?.prune(keeping: graphs)
        await self.programs?.prune(keeping: graphs)
    }

    private func probe(_ instance: InstanceSpec) async throws -> StepOutcome {
        let opening = try await self.opening(of: instance)
        let warmUp = instance.warmUp.map { request in
            CompletionRequest(prompt: .text(request.prompt), maxTokens: request.maxTokens)
        }
        let report = try await PlanExecutor.naming(instance, opening) {
            try await self.probe.probe(engine: instance.engine, opening: opening.forEngine, warmUp: warmUp)
        }
        return StepOutcome(changes: [.probe(instance.key, report)])
    }

    /// Engines know files by where the artifact store keeps them; people know them by the names in the manifests.
    private static func naming<Result>(
        _ instance: InstanceSpec,
        _ opening: ModelOpening,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch var error as MartletError {
            if let artifact = instance.artifact {
                error.message = error.message.replacing(opening.file, with: artifact.path)
            }
            for (adapter, opened) in zip(instance.adapters, opening.adapters) {
                error.message = error.message.replacing(opened.file, with: adapter.artifact.path)
            }
            throw error
        }
    }

    /// The mark is written before the engine sees the file. The loop takes it away when the step has ended, however it
    /// did, so that only the end of the process can leave it behind.
    private func load(_ instance: InstanceSpec) async throws {
        let opening = try await self.opening(of: instance)
        do {
            try self.store.write([.beginLoading(instance.key)])
        } catch {
            throw StoreRefusal(cause: error)
        }
        try await PlanExecutor.naming(instance, opening) {
            try await self.withinDeadline(instance) {
                try await self.runtime.load(instance, opening: opening)
            }
        }
    }

    /// An engine's call that hangs cannot be ended, only left behind: that is what cancelling a load does.
    private func withinDeadline(
        _ instance: InstanceSpec,
        _ load: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await load() }
            group.addTask {
                try await self.clock.sleep(for: self.loadDeadline)
                throw MartletError(
                    "LoadTimedOut",
                    "\(instance.origin) was not loaded within \(self.loadDeadline.components.seconds) s, and the "
                        + "call was left behind; mend the file, or 'martlet retry'"
                )
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func opening(of instance: InstanceSpec) async throws -> ModelOpening {
        var adapters: [ModelOpening.Adapter] = []
        for adapter in instance.adapters {
            let file = try await self.artifacts.materialise(adapter.artifact)
            adapters.append(ModelOpening.Adapter(name: adapter.name, file: file, scale: adapter.scale))
        }
        return ModelOpening(
            file: try await self.file(of: instance),
            upstreams: instance.upstreams,
            adapters: adapters,
            options: instance.options,
            threads: instance.threads,
            accelerator: instance.accelerator
        )
    }

    private func file(of instance: InstanceSpec) async throws -> String {
        guard let artifact = instance.artifact else { return "" }
        return try await self.artifacts.materialise(artifact)
    }
}
