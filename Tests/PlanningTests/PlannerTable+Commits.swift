import Planning
import Schema
import TestSupport
import Testing

extension PlannerTableTests {
    /// What commits ask for.
    static let commits: [PlannerCase] = [
        PlannerCase("nothing changed") { _ in },
        PlannerCase(
            "the first commit of all",
            steps: """
                settings desk
                begin desk p1 small-1
                probe small-1 < begin desk p1 small-1
                load small-1 < probe small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                promote desk p1 small-1 < traffic desk p1 small-1
                """
        ) { simulator in
            simulator.observed = ObservedState(engines: ["replay"])
        },
        PlannerCase(
            "the first commit of all, and no model has warm-up requests: what has started is ready",
            steps: """
                settings desk
                begin desk p1 small-1
                probe small-1 < begin desk p1 small-1
                load small-1 < probe small-1
                start desk p1 small-1 < load small-1
                traffic desk p1 small-1 < start desk p1 small-1
                promote desk p1 small-1 < traffic desk p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.withoutWarmUp = ["small"] }
            simulator.observed = ObservedState(engines: ["replay"])
        },
        PlannerCase(
            "a prompt is edited: no weights are loaded",
            steps: """
                begin desk p2 small-1
                start desk p2 small-1 < begin desk p2 small-1
                warmUp desk p2 small-1 < start desk p2 small-1
                traffic desk p2 small-1 < warmUp desk p2 small-1
                promote desk p2 small-1 < traffic desk p2 small-1
                drain desk p1 small-1 < promote desk p2 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { $0.editPrompt() },
        PlannerCase(
            "a model's file changes",
            steps: """
                begin desk p1 small-2
                probe small-2 < begin desk p1 small-2
                load small-2 < probe small-2
                start desk p1 small-2 < load small-2
                warmUp desk p1 small-2 < start desk p1 small-2
                traffic desk p1 small-2 < warmUp desk p1 small-2
                promote desk p1 small-2 < traffic desk p1 small-2
                drain desk p1 small-1 < promote desk p1 small-2
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                """
        ) { $0.changeModelFile() },
        PlannerCase(
            "a second endpoint shares the model",
            steps: """
                settings shop
                begin shop p1 small-1
                start shop p1 small-1 < begin shop p1 small-1
                warmUp shop p1 small-1 < start shop p1 small-1
                traffic shop p1 small-1 < warmUp shop p1 small-1
                promote shop p1 small-1 < traffic shop p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["small"]) }
        },
        PlannerCase(
            "two endpoints move to a new file together: it is loaded once",
            steps: """
                begin desk p1 small-2
                probe small-2 < begin desk p1 small-2
                load small-2 < probe small-2
                start desk p1 small-2 < load small-2
                warmUp desk p1 small-2 < start desk p1 small-2
                traffic desk p1 small-2 < warmUp desk p1 small-2
                promote desk p1 small-2 < traffic desk p1 small-2
                drain desk p1 small-1 < promote desk p1 small-2
                stop desk p1 small-1 < drain desk p1 small-1
                begin shop p1 small-2
                start shop p1 small-2 < load small-2 & begin shop p1 small-2
                warmUp shop p1 small-2 < start shop p1 small-2
                traffic shop p1 small-2 < warmUp shop p1 small-2
                promote shop p1 small-2 < traffic shop p1 small-2
                drain shop p1 small-1 < promote shop p1 small-2
                stop shop p1 small-1 < drain shop p1 small-1
                unload small-1 < stop desk p1 small-1 & stop shop p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["small"]) }
            try simulator.converge()
            simulator.changeModelFile()
        },
        PlannerCase(
            "settings change: nothing rolls",
            steps: """
                settings desk
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.swap = true }
        },
        PlannerCase(
            "more replicas",
            steps: """
                settings desk
                scale desk p1 small-1 x3
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.replicas = 3 }
        },
        PlannerCase(
            "fewer replicas",
            steps: """
                settings desk
                scale desk p1 small-1 x2
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.replicas = 3 }
            try simulator.converge()
            simulator.commit { $0.services["desk"]?.replicas = 2 }
        },
        PlannerCase(
            "no replicas at least: one to begin with",
            steps: """
                settings desk
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.replicas = 0 }
        },
        PlannerCase(
            "more replicas and a new prompt",
            steps: """
                settings desk
                begin desk p2 small-1
                scale desk p1 small-1 x2
                start desk p2 small-1 x2 < begin desk p2 small-1
                warmUp desk p2 small-1 < start desk p2 small-1 x2
                traffic desk p2 small-1 < warmUp desk p2 small-1
                promote desk p2 small-1 < traffic desk p2 small-1
                drain desk p1 small-1 < scale desk p1 small-1 x2 & promote desk p2 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.commit { world in
                world.services["desk"]?.replicas = 2
                world.services["desk"]?.promptVersion = 2
            }
        },
        PlannerCase(
            "a second model",
            steps: """
                begin desk p1 other-1+small-1
                probe other-1 < begin desk p1 other-1+small-1
                load other-1 < probe other-1
                start desk p1 other-1+small-1 < load other-1
                warmUp desk p1 other-1+small-1 < start desk p1 other-1+small-1
                traffic desk p1 other-1+small-1 < warmUp desk p1 other-1+small-1
                promote desk p1 other-1+small-1 < traffic desk p1 other-1+small-1
                drain desk p1 small-1 < promote desk p1 other-1+small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.models = ["other", "small"] }
        },
        PlannerCase(
            "an endpoint leaves",
            steps: """
                remove desk
                drain desk p1 small-1 < remove desk
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                forget desk < unload small-1
                """
        ) { simulator in
            simulator.commit { $0.services["desk"] = nil }
        },
        PlannerCase(
            "an endpoint leaves, another keeps its model",
            steps: """
                remove desk
                drain desk p1 small-1 < remove desk
                stop desk p1 small-1 < drain desk p1 small-1
                forget desk < stop desk p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["small"]) }
            try simulator.converge()
            simulator.commit { $0.services["desk"] = nil }
        },
        PlannerCase(
            "an endpoint leaves in the middle of a rollout",
            steps: """
                remove desk
                drain desk p1 small-1 < remove desk
                stop desk p1 small-1 < drain desk p1 small-1
                stop desk p1 small-2 < remove desk
                unload small-1 < stop desk p1 small-1
                unload small-2 < stop desk p1 small-2
                forget desk < unload small-1 & unload small-2
                """
        ) { simulator in
            simulator.changeModelFile()
            try simulator.perform(until: "warmUp")
            simulator.commit { $0.services["desk"] = nil }
        },
        PlannerCase(
            "a tenant gets a version of its own",
            steps: """
                begin desk@acme p1 small-1
                start desk@acme p1 small-1 < begin desk@acme p1 small-1
                warmUp desk@acme p1 small-1 < start desk@acme p1 small-1
                traffic desk@acme p1 small-1 < warmUp desk@acme p1 small-1
                promote desk@acme p1 small-1 < traffic desk@acme p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.tenants = ["acme"] }
        },
        PlannerCase(
            "a tenant's own version leaves",
            steps: """
                traffic nowhere for desk@acme
                drain desk@acme p1 small-1 < traffic nowhere for desk@acme
                stop desk@acme p1 small-1 < drain desk@acme p1 small-1
                forget desk@acme < stop desk@acme p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.tenants = ["acme"] }
            try simulator.converge()
            simulator.commit { $0.services["desk"]?.tenants = [] }
        },
        PlannerCase(
            "a dependency is broken: the promoted revision goes on",
            waits: "desk: DependencyBlocked"
        ) { simulator in
            simulator.commit { world in
                world.services["desk"]?.promptVersion = 2
                world.services["desk"]?.isBlocked = true
            }
        },
        PlannerCase(
            "a new endpoint is blocked",
            steps: """
                settings shop
                """,
            waits: "shop: DependencyBlocked"
        ) { simulator in
            simulator.commit { world in
                world.services["shop"] = .init(models: ["small"])
                world.services["shop"]?.isBlocked = true
            }
        },
        PlannerCase(
            "a dependency breaks in the middle of a rollout: back to promoted",
            steps: """
                failed desk
                drain desk p2 small-1 < failed desk
                stop desk p2 small-1 < drain desk p2 small-1
                """,
            waits: "desk: DependencyBlocked"
        ) { simulator in
            simulator.editPrompt()
            try simulator.perform(until: "setTraffic")
            simulator.commit { $0.services["desk"]?.isBlocked = true }
        },
        PlannerCase(
            "the endpoint's file cannot be read: nothing is pruned",
            waits: "desk: FileUnreadable"
        ) { simulator in
            simulator.commit { $0.services["desk"] = nil }
            simulator.desired.retained = [simulator.deskEndpoint]
        },
        PlannerCase(
            "a newer commit supersedes a rollout",
            steps: """
                drain desk p2 small-1
                stop desk p2 small-1 < drain desk p2 small-1
                begin desk p3 small-1
                start desk p3 small-1 < begin desk p3 small-1
                warmUp desk p3 small-1 < start desk p3 small-1
                traffic desk p3 small-1 < warmUp desk p3 small-1
                promote desk p3 small-1 < traffic desk p3 small-1
                drain desk p1 small-1 < promote desk p3 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.editPrompt()
            try simulator.perform(until: "setTraffic")
            simulator.editPrompt()
        },
        PlannerCase(
            "a newer commit supersedes a load that hangs",
            steps: """
                unload small-2
                begin desk p1 small-3
                probe small-3 < begin desk p1 small-3
                load small-3 < probe small-3
                start desk p1 small-3 < load small-3
                warmUp desk p1 small-3 < start desk p1 small-3
                traffic desk p1 small-3 < warmUp desk p1 small-3
                promote desk p1 small-3 < traffic desk p1 small-3
                drain desk p1 small-1 < promote desk p1 small-3
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                """
        ) { simulator in
            simulator.changeModelFile()
            try simulator.perform(until: "load")
            let hanging = try #require(simulator.plan().steps.first?.action)
            if case .load(let instance) = hanging {
                simulator.observed.runtime.instances[instance.key] = InstanceObservation(state: .loading, copies: 0)
            }
            simulator.changeModelFile()
        },
        PlannerCase(
            "a commit is reverted in the middle of its rollout",
            steps: """
                failed desk
                drain desk p2 small-1 < failed desk
                stop desk p2 small-1 < drain desk p2 small-1
                """
        ) { simulator in
            simulator.editPrompt()
            try simulator.perform(until: "setTraffic")
            simulator.commit { $0.services["desk"]?.promptVersion = 1 }
        },
        PlannerCase(
            "a commit comes between the switch and its promotion",
            steps: """
                begin desk p3 small-1
                traffic desk p1 small-1
                drain desk p2 small-1 < traffic desk p1 small-1
                stop desk p2 small-1 < drain desk p2 small-1
                start desk p3 small-1 < begin desk p3 small-1
                warmUp desk p3 small-1 < start desk p3 small-1
                traffic desk p3 small-1 < traffic desk p1 small-1 & warmUp desk p3 small-1
                promote desk p3 small-1 < traffic desk p3 small-1
                drain desk p1 small-1 < promote desk p3 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.editPrompt()
            try simulator.perform(until: "promote")
            simulator.editPrompt()
        },
    ]
}
