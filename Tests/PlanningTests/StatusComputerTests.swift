import Planning
import Schema
import TestSupport
import Testing

/// One situation, and how `desk` and its model are doing in it.
struct StatusCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// `Synced Healthy Ready=True/Promoted`, with every further condition after it.
    let desk: String
    let model: String
    let prepare: @Sendable (inout PlanSimulator) throws -> Void

    init(
        _ name: String,
        desk: String,
        model: String,
        _ prepare: @escaping @Sendable (inout PlanSimulator) throws -> Void
    ) {
        self.testDescription = name
        self.desk = desk
        self.model = model
        self.prepare = prepare
    }
}

@Suite("Status")
struct StatusComputerTests {
    private static func words(_ view: ResourceView?) -> String {
        guard let view else { return "nothing" }
        let conditions = view.conditions.map { "\($0.type.rawValue)=\($0.status.rawValue)/\($0.reason)" }
        return ([view.sync.rawValue, view.health.rawValue] + conditions).joined(separator: " ")
    }

    private func status(
        _ simulator: PlanSimulator,
        previous: [ResourceIdentity: [Condition]] = [:]
    ) -> StatusComputer.Status {
        StatusComputer.compute(
            desired: simulator.desired,
            observed: simulator.observed,
            plan: simulator.plan(),
            previous: previous,
            now: simulator.now
        )
    }

    private static func converged(_ body: (inout PlanSimulator) throws -> Void = { _ in }) throws -> PlanSimulator {
        var simulator = PlanSimulator(
            world: PlanWorld(models: ["small": 1], services: ["desk": .init(models: ["small"])]),
            seed: 1
        )
        try simulator.converge()
        try body(&simulator)
        let instance = simulator.world.instance("small")
        let model = try Resource(
            instance.model,
            spec: ["engine": "replay", "source": ["uri": .string(instance.origin)]]
        )
        simulator.desired.resources[instance.model] = model
        for (variant, facts) in simulator.observed.facts.variants {
            for (place, graph) in facts.graphs.enumerated() {
                for number in graph.models.indices where graph.models[number].digest == instance.key.digest {
                    simulator.observed.facts.variants[variant]?.graphs[place].models[number].digest = model.digest
                }
            }
        }
        return simulator
    }

    static let cases: [StatusCase] = [
        StatusCase(
            "converged",
            desk: "Synced Healthy Ready=True/Promoted",
            model: "Synced Healthy Ready=True/Loaded"
        ) { _ in },
        StatusCase(
            "nothing runs yet",
            desk: "OutOfSync Progressing Ready=Unknown/Progressing Reconciling=True/Progressing",
            model: "OutOfSync Progressing Ready=Unknown/Progressing"
        ) { $0.observed = ObservedState() },
        StatusCase(
            "a rollout is under way",
            desk: "OutOfSync Progressing Ready=Unknown/Progressing Reconciling=True/Progressing",
            model: "Synced Healthy Ready=True/Loaded"
        ) { $0.editPrompt() },
        StatusCase(
            "a new file is under way",
            desk: "OutOfSync Progressing Ready=Unknown/Progressing Reconciling=True/Progressing",
            model: "OutOfSync Progressing Ready=Unknown/Progressing"
        ) { $0.changeModelFile() },
        StatusCase(
            "a load fails for now",
            desk: "OutOfSync Progressing Ready=Unknown/BackingOff Reconciling=True/BackingOff",
            model: "OutOfSync Progressing Ready=Unknown/Progressing"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .retryable)
        },
        StatusCase(
            "a load failed for good",
            desk: "OutOfSync Degraded Ready=False/Held Stalled=True/Held",
            model: "OutOfSync Degraded Ready=False/Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .terminal)
            try simulator.converge()
        },
        StatusCase(
            "the first deployment failed",
            desk: "OutOfSync Degraded Ready=False/Held Stalled=True/Held",
            model: "OutOfSync Degraded Ready=False/Held"
        ) { simulator in
            simulator.observed = ObservedState()
            try simulator.failStep("load", .terminal)
            try simulator.converge()
        },
        StatusCase(
            "rolled back by a person",
            desk: "OutOfSync Degraded Ready=False/Held Stalled=True/Held",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.editPrompt()
            try simulator.converge()
            simulator.rollBack(simulator.desk)
            try simulator.converge()
        },
        StatusCase(
            "blocked, the promoted revision answers",
            desk: "OutOfSync Degraded Ready=False/DependencyBlocked Blocked=True/DependencyBlocked",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.commit { $0.services["desk"]?.isBlocked = true }
        },
        StatusCase(
            "blocked from the first",
            desk:
                "OutOfSync Missing Ready=False/DependencyBlocked Reconciling=True/Progressing Blocked=True/DependencyBlocked",
            model: "Synced Healthy Ready=True/NotUsed"
        ) { simulator in
            simulator.observed = ObservedState()
            simulator.commit { $0.services["desk"]?.isBlocked = true }
        },
        StatusCase(
            "its file cannot be read",
            desk: "Unknown Degraded Ready=False/FileUnreadable Blocked=True/FileUnreadable",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.commit { $0.services["desk"] = nil }
            simulator.desired.retained = [simulator.deskEndpoint]
        },
        StatusCase(
            "it left the repository",
            desk: "OutOfSync Progressing Ready=False/Pruning Reconciling=True/Pruning",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.commit { $0.services["desk"] = nil }
        },
        StatusCase(
            "suspended",
            desk: "Synced Suspended Ready=True/Suspended",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.observed.facts.suspensions = [.resource(simulator.deskEndpoint)]
        },
        StatusCase(
            "suspended with a commit that waits",
            desk: "OutOfSync Suspended Ready=False/Suspended",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.observed.facts.suspensions = [.everything]
            simulator.editPrompt()
        },
        StatusCase(
            "settings are not in force yet",
            desk: "OutOfSync Progressing Ready=True/Promoted Reconciling=True/Progressing",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.commit { $0.services["desk"]?.swap = true }
        },
        StatusCase(
            "a new process",
            desk: "OutOfSync Progressing Ready=False/Progressing Reconciling=True/Progressing",
            model: "Synced Progressing Ready=False/NotLoaded"
        ) { $0.crash() },
        StatusCase(
            "its instance died",
            desk: "Synced Degraded Ready=False/InstanceFailed Reconciling=True/Progressing",
            model: "Synced Degraded Ready=False/InstanceFailed"
        ) { simulator in
            simulator.observed.runtime.instances[simulator.world.instance("small").key]?.state = .failed
        },
        StatusCase(
            "its runner died",
            desk: "Synced Progressing Ready=False/Progressing Reconciling=True/Progressing",
            model: "Synced Healthy Ready=True/Loaded"
        ) { simulator in
            simulator.observed.runtime.runners[try simulator.promotedRunner]?.state = .failed
        },
        StatusCase(
            "its promoted file took the process down",
            desk:
                "OutOfSync Degraded Ready=False/CrashedWhileLoading Reconciling=True/Progressing Stalled=True/CrashedWhileLoading",
            model: "Synced Degraded Ready=False/CrashedWhileLoading"
        ) { simulator in
            simulator.crash(whileLoading: simulator.world.instance("small").key)
        },
        StatusCase(
            "a new file does not fit into memory",
            desk: "OutOfSync Degraded Ready=False/InsufficientMemory Stalled=True/InsufficientMemory",
            model: "OutOfSync Progressing Ready=Unknown/Progressing"
        ) { simulator in
            simulator.observed.memoryBudget = 150
            simulator.changeModelFile()
            try simulator.perform(until: "load")
        },
        StatusCase(
            "its engine is not installed",
            desk: "OutOfSync Degraded Ready=False/EngineNotInstalled Stalled=True/EngineNotInstalled",
            model: "OutOfSync Progressing Ready=Unknown/Progressing"
        ) { simulator in
            simulator.changeModelFile()
            simulator.observed.engines = []
        },
        StatusCase(
            "what it shall be computed on is not there",
            desk: "OutOfSync Degraded Ready=False/AcceleratorMissing Stalled=True/AcceleratorMissing",
            model: "OutOfSync Progressing Ready=Unknown/Progressing"
        ) { simulator in
            simulator.commit { $0.accelerators["small"] = "cuda" }
            simulator.observed.engines = ["replay"]
        },
    ]

    @Test("Each situation has its words", arguments: cases)
    func words(_ row: StatusCase) throws {
        let simulator = try Self.converged(row.prepare)
        let status = self.status(simulator)
        let views = Dictionary(uniqueKeysWithValues: status.resources.map { ($0.identity.description, $0) })
        #expect(Self.words(views["Endpoint/default/desk"]) == row.desk)
        #expect(Self.words(views["Model/default/small"]) == row.model)
        for view in status.resources { #expect(status.conditions[view.identity] == view.conditions) }
    }

    @Test("A condition's transition time moves only with its status")
    func transitions() throws {
        var simulator = try Self.converged()
        let first = self.status(simulator)
        let ready = try #require(first.conditions[simulator.deskEndpoint]?.first)
        simulator.now = simulator.now.advanced(byMilliseconds: 5000)
        let second = self.status(simulator, previous: first.conditions)
        #expect(second.conditions == first.conditions)
        simulator.editPrompt()
        let third = self.status(simulator, previous: second.conditions)
        let moved = try #require(third.conditions[simulator.deskEndpoint]?.first)
        #expect(moved.status == .unknown)
        #expect(moved.lastTransitionTime == ready.lastTransitionTime + 5)
        try simulator.converge()
        simulator.now = simulator.now.advanced(byMilliseconds: 5000)
        simulator.editPrompt()
        let fourth = self.status(simulator, previous: third.conditions)
        let still = try #require(fourth.conditions[simulator.deskEndpoint]?.first)
        #expect(still.observedRevision != moved.observedRevision)
        #expect(still.lastTransitionTime == moved.lastTransitionTime)
    }

    @Test("What is gone loses its conditions")
    func forgets() throws {
        var simulator = try Self.converged()
        let before = self.status(simulator).conditions
        simulator.commit { $0.services["desk"] = nil }
        try simulator.converge()
        let after = self.status(simulator, previous: before)
        #expect(after.conditions[simulator.deskEndpoint] == [])
        #expect(after.resources.allSatisfy { $0.identity != simulator.deskEndpoint })
    }

    @Test("The four revisions are kept apart, and the rollout is shown")
    func variants() throws {
        let simulator = try Self.converged { simulator in
            simulator.editPrompt()
            try simulator.converge()
            simulator.editPrompt()
            try simulator.perform(until: "promote")
        }
        let view = try #require(self.status(simulator).resources.first { $0.kind == .endpoint }?.variants.first)
        let facts = try #require(simulator.observed.facts.variants[simulator.desk])
        #expect(view.desired == simulator.desired.variants[simulator.desk]?.revision)
        #expect(view.attempted == view.desired)
        #expect(view.serving == [TrafficShare(revision: try #require(view.desired), weight: 100)])
        #expect(view.promoted == facts.promoted && view.promoted != view.desired)
        #expect(view.earlier == facts.earlier.reversed() && view.earlier.count == 1)
        #expect(view.rollout?.phase == .shifting)
        #expect(view.replicas == 2)
    }

    @Test("Whoever sleeps is healthy, and says so; whoever is to wake is not, until it does")
    func asleep() throws {
        var simulator = try Self.converged { try $0.sleep() }
        func find(_ kind: Kind) throws -> ResourceView {
            try #require(self.status(simulator).resources.first { $0.kind == kind })
        }
        for kind in [Kind.endpoint, .model] {
            let view = try find(kind)
            #expect(view.health == .healthy && view.sync == .synced)
            #expect(view.conditions.first { $0.type == .ready }?.reason == "ScaledToZero")
        }
        #expect(try find(.endpoint).variants.map(\.wantedReplicas) == [0])
        simulator.decide(2)
        let waking = try find(.endpoint)
        #expect(waking.health == .progressing)
        #expect(waking.variants.map(\.replicas) == [0] && waking.variants.map(\.wantedReplicas) == [2])
        try simulator.converge()
        #expect(try find(.endpoint).health == .healthy)
    }

    @Test("Resources of a commit: in use, not used, broken, and of a kind of later")
    func resources() throws {
        var repository = try Repository.desk()
        try repository.add(.promptTemplate, "unused", ["messages": [["role": "user", "content": "x"]]])
        try repository.add(.monitor, "slo", ["endpoint": "desk", "checks": []])
        let broken = Repository.identity(.model, "broken")
        repository.broken = [broken]
        let place = SourceLocation(path: "m.yaml", line: 2, column: 3)
        repository.diagnostics = [Diagnostic(at: place, "unknown field 'engin'", resource: broken)]
        let desired = repository.build()
        let observed = ObservedState.converged(to: desired)
        let plan = Planner.plan(desired: desired, observed: observed, now: Timestamp(milliseconds: 0))
        let status = StatusComputer.compute(
            desired: desired,
            observed: observed,
            plan: plan,
            now: Timestamp(milliseconds: 0)
        )
        let words = status.resources.map { "\($0.identity) \(Self.words($0))" }
        #expect(
            words == [
                "Chain/default/desk Synced Healthy Ready=True/InUse",
                "Dataset/default/shots Synced Healthy Ready=True/InUse",
                "Endpoint/default/desk Synced Healthy Ready=True/Promoted",
                "Model/default/broken OutOfSync Degraded Ready=False/ManifestInvalid Blocked=True/ManifestInvalid",
                "Model/default/deskhand Synced Healthy Ready=True/Loaded",
                "Monitor/default/slo Unknown Unknown Ready=False/NotAvailable",
                "PromptTemplate/default/reply Synced Healthy Ready=True/InUse",
                "PromptTemplate/default/triage Synced Healthy Ready=True/InUse",
                "PromptTemplate/default/unused Synced Healthy Ready=True/NotUsed",
            ]
        )
        #expect(status.sync == .outOfSync)
        #expect(status.health == .degraded)
        #expect(status.resources[4].instance?.state == .ready)
        #expect(status.resources[0].location == "chains/desk.yaml:1:1")
    }

    @Test("An endpoint whose lazy model nobody has asked for is as it should be; one that crashed loading is not")
    func lazyModel() throws {
        var world = PlanWorld(models: ["small": 1], services: ["desk": .init(models: ["small"])])
        world.lazy = ["small"]
        var simulator = PlanSimulator(world: world, seed: 1)
        try simulator.converge()
        #expect(simulator.observed.runtime.instances.isEmpty)
        let quiet = self.status(simulator)
        #expect(quiet.health == .healthy)
        #expect(quiet.resources.map(Self.words) == ["Synced Healthy Ready=True/Promoted"])
        simulator.observed.facts.crashed = [simulator.world.instance("small").key]
        #expect(self.status(simulator).health == .degraded)
    }

    @Test(
        "The whole is as its parts are",
        arguments: [
            (true, SyncStatus.synced, HealthStatus.healthy), (false, .outOfSync, .progressing),
        ]
    )
    func overall(isConverged: Bool, sync: SyncStatus, health: HealthStatus) throws {
        let simulator = try Self.converged { if !isConverged { $0.editPrompt() } }
        let status = self.status(simulator)
        #expect(status.sync == sync)
        #expect(status.health == health)
    }
}
