import Planning
import Schema
import TestSupport

/// Models that requests have loaded.
extension PlannerTableTests {
    static let lazy = [
        PlannerCase(
            "a lazy model is promoted without being opened",
            steps: """
                begin desk p1 large-1
                start desk p1 large-1 < begin desk p1 large-1
                traffic desk p1 large-1 < start desk p1 large-1
                promote desk p1 large-1 < traffic desk p1 large-1
                drain desk p1 small-1 < promote desk p1 large-1
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                """
        ) { simulator in
            simulator.commit(Self.takeLazyModel)
        },
        PlannerCase("a lazy model that nobody asks for stays unloaded") { simulator in
            simulator.commit(Self.takeLazyModel)
            try simulator.converge()
        },
        PlannerCase(
            "the first request has a lazy model probed and loaded",
            steps: """
                probe large-1
                load large-1 < probe large-1
                """
        ) { simulator in
            try simulator.demandLazyModel()
        },
        PlannerCase(
            "a request after a restart has it loaded as the probe of then allows",
            steps: "load large-1"
        ) { simulator in
            try simulator.demandLazyModel()
            try simulator.converge()
            simulator.crash()
            try simulator.converge()
            try simulator.demandLazyModel()
        },
        PlannerCase(
            "a suspended endpoint still loads what its requests ask for",
            steps: """
                probe large-1
                load large-1 < probe large-1
                """,
            waits: "desk: Suspended"
        ) { simulator in
            try simulator.demandLazyModel()
            simulator.observed.facts.suspensions = [.everything]
        },
        PlannerCase(
            "a lazy model that does not load costs its endpoint nothing else",
            waits: "desk: BackingOff"
        ) { simulator in
            try simulator.demandLazyModel()
            try simulator.failStep("load", .terminal)
        },
        PlannerCase(
            "a lazy model that took the process down is not loaded again",
            waits: "desk: CrashedWhileLoading"
        ) { simulator in
            try simulator.demandLazyModel()
            simulator.observed.facts.crashed = [simulator.world.instance("large").key]
        },
        PlannerCase(
            "a loaded lazy model makes room for an eager one by itself",
            memoryBudget: 500,
            steps: """
                begin desk p1 other-1
                probe other-1 < begin desk p1 other-1
                load other-1 < probe other-1
                start desk p1 other-1 < load other-1
                warmUp desk p1 other-1 < start desk p1 other-1
                traffic desk p1 other-1 < warmUp desk p1 other-1
                promote desk p1 other-1 < traffic desk p1 other-1
                drain desk p1 large-1 < promote desk p1 other-1
                stop desk p1 large-1 < drain desk p1 large-1
                unload large-1 < stop desk p1 large-1
                """
        ) { simulator in
            simulator.commit { $0.declaredMemory = ["small": 100, "large": 400, "other": 300] }
            try simulator.demandLazyModel()
            try simulator.converge()
            simulator.commit { $0.services["desk"]?.models = ["other"] }
        },
        PlannerCase(
            "an eager model leaves room for the largest lazy one",
            memoryBudget: 500,
            steps: """
                settings chat
                begin chat p1 other-1
                probe other-1 < begin chat p1 other-1
                """,
            waits: "chat: InsufficientMemory"
        ) { simulator in
            simulator.commit { $0.declaredMemory = ["small": 100, "large": 400, "other": 300] }
            try simulator.demandLazyModel()
            try simulator.converge()
            simulator.commit { $0.services["chat"] = .init(models: ["other"]) }
        },
    ]

    @Sendable
    private static func takeLazyModel(_ world: inout PlanWorld) {
        world.models["large"] = 1
        world.lazy = ["large"]
        world.services["desk"]?.models = ["large"]
    }
}

extension PlanSimulator {
    /// Has `desk` served by the lazy model `large`, for which a request comes.
    fileprivate mutating func demandLazyModel() throws {
        self.commit { world in
            world.models["large"] = 1
            world.lazy = ["large"]
            world.services["desk"]?.models = ["large"]
        }
        try self.converge()
        let instance = self.world.instance("large").key
        self.observed.runtime.instances[instance] = InstanceObservation(state: .demanded, copies: 0)
    }
}
