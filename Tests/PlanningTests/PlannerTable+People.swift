import Planning
import Schema
import TestSupport

extension PlannerTableTests {
    /// What people decide.
    static let people: [PlannerCase] = [
        PlannerCase(
            "rollback: back to the revision before, without a probe",
            steps: """
                begin desk p1 small-1
                load small-1 < begin desk p1 small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                promote desk p1 small-1 < traffic desk p1 small-1
                drain desk p1 small-2 < promote desk p1 small-1
                stop desk p1 small-2 < drain desk p1 small-2
                unload small-2 < stop desk p1 small-2
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.converge()
            simulator.rollBack(simulator.desk)
        },
        PlannerCase(
            "rollback of a rollout that is under way",
            steps: """
                drain desk p2 small-1
                stop desk p2 small-1 < drain desk p2 small-1
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.editPrompt()
            try simulator.perform(until: "setTraffic")
            simulator.rollBack(simulator.desk)
        },
        PlannerCase(
            "rolled back and restarted: the held revision does not come back",
            steps: """
                settings desk
                begin desk p1 small-1
                load small-1 < begin desk p1 small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                promote desk p1 small-1 < traffic desk p1 small-1
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.editPrompt()
            try simulator.converge()
            simulator.rollBack(simulator.desk)
            simulator.crash()
        },
        PlannerCase(
            "rolled back; the next commit ends the hold",
            steps: """
                lift desk p2 small-1
                begin desk p3 small-1 < lift desk p2 small-1
                start desk p3 small-1 < begin desk p3 small-1
                warmUp desk p3 small-1 < start desk p3 small-1
                traffic desk p3 small-1 < warmUp desk p3 small-1
                promote desk p3 small-1 < traffic desk p3 small-1
                drain desk p1 small-1 < promote desk p3 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.editPrompt()
            try simulator.converge()
            simulator.rollBack(simulator.desk)
            try simulator.converge()
            simulator.editPrompt()
        },
        PlannerCase(
            "a rollback whose target fails goes no further",
            steps: """
                hold desk p1 small-1 Broken
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.converge()
            simulator.rollBack(simulator.desk)
            try simulator.failStep("load", .terminal)
        },
        PlannerCase(
            "rolled back, then the manifest breaks: the target stays",
            steps: """
                begin desk p1 small-1
                start desk p1 small-1 < begin desk p1 small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                promote desk p1 small-1 < traffic desk p1 small-1
                drain desk p2 small-1 < promote desk p1 small-1
                stop desk p2 small-1 < drain desk p2 small-1
                """,
            waits: "desk: DependencyBlocked"
        ) { simulator in
            simulator.editPrompt()
            try simulator.converge()
            simulator.rollBack(simulator.desk)
            simulator.commit { $0.services["desk"]?.isBlocked = true }
        },
        PlannerCase(
            "retry lifts a hold",
            steps: """
                begin desk p1 small-2
                load small-2 < begin desk p1 small-2
                start desk p1 small-2 < load small-2
                warmUp desk p1 small-2 < start desk p1 small-2
                traffic desk p1 small-2 < warmUp desk p1 small-2
                promote desk p1 small-2 < traffic desk p1 small-2
                drain desk p1 small-1 < promote desk p1 small-2
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                """
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .terminal)
            try simulator.converge()
            simulator.retry(simulator.desk)
        },
        PlannerCase(
            "everything is suspended: a commit changes nothing, its settings neither",
            waits: "desk: Suspended, shop: Suspended"
        ) { simulator in
            simulator.observed.facts.suspensions = [.everything]
            simulator.commit { world in
                world.services["desk"]?.promptVersion = 2
                world.services["desk"]?.swap = true
                world.services["shop"] = .init(models: ["small"])
            }
        },
        PlannerCase(
            "a model is suspended: what uses it stays, the rest goes on",
            steps: """
                begin shop p2 other-1
                start shop p2 other-1 < begin shop p2 other-1
                warmUp shop p2 other-1 < start shop p2 other-1
                traffic shop p2 other-1 < warmUp shop p2 other-1
                promote shop p2 other-1 < traffic shop p2 other-1
                drain shop p1 other-1 < promote shop p2 other-1
                stop shop p1 other-1 < drain shop p1 other-1
                """,
            waits: "desk: Suspended"
        ) { simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["other"]) }
            try simulator.converge()
            let model = ResourceIdentity(.model, namespace: "default", name: "small")
            simulator.observed.facts.suspensions = [.resource(model)]
            simulator.commit { world in
                world.services["desk"]?.promptVersion = 2
                world.services["shop"]?.promptVersion = 2
            }
        },
        PlannerCase(
            "suspended and restarted: the promoted revision serves again",
            steps: """
                settings desk
                load small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                """,
            waits: "desk: Suspended"
        ) { simulator in
            simulator.observed.facts.suspensions = [.everything]
            simulator.editPrompt()
            simulator.crash()
        },
        PlannerCase(
            "a suspended endpoint is not pruned",
            waits: "desk: Suspended"
        ) { simulator in
            simulator.observed.facts.suspensions = [.resource(simulator.deskEndpoint)]
            simulator.commit { $0.services["desk"] = nil }
        },
        PlannerCase(
            "resumed: the newest commit rolls",
            steps: """
                begin desk p3 small-1
                start desk p3 small-1 < begin desk p3 small-1
                warmUp desk p3 small-1 < start desk p3 small-1
                traffic desk p3 small-1 < warmUp desk p3 small-1
                promote desk p3 small-1 < traffic desk p3 small-1
                drain desk p1 small-1 < promote desk p3 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.observed.facts.suspensions = [.everything]
            simulator.editPrompt()
            simulator.editPrompt()
            simulator.observed.facts.suspensions = []
        },
    ]

    /// Budgets of 500 bytes; a model of the size 300 twice does not fit.
    static let memory: [PlannerCase] = [
        PlannerCase(
            "old and new fit together",
            memoryBudget: 500,
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
        ) { simulator in
            simulator.commit { $0.declaredMemory = ["small": 200] }
            try simulator.converge()
            simulator.changeModelFile()
        },
        PlannerCase(
            "they do not fit: it stalls",
            memoryBudget: 500,
            steps: """
                begin desk p1 small-2
                probe small-2 < begin desk p1 small-2
                """,
            waits: "desk: InsufficientMemory"
        ) { simulator in
            simulator.commit { $0.declaredMemory = ["small": 300] }
            try simulator.converge()
            simulator.changeModelFile()
        },
        PlannerCase(
            "they do not fit: swap, with the gap announced",
            memoryBudget: 500,
            steps: """
                begin desk p1 small-2
                probe small-2 < begin desk p1 small-2
                traffic nowhere for desk < probe small-2
                drain desk p1 small-1 < traffic nowhere for desk
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                load small-2 < unload small-1
                start desk p1 small-2 < load small-2
                warmUp desk p1 small-2 < start desk p1 small-2
                traffic desk p1 small-2 < warmUp desk p1 small-2
                promote desk p1 small-2 < traffic desk p1 small-2
                """
        ) { simulator in
            simulator.commit { world in
                world.declaredMemory = ["small": 300]
                world.services["desk"]?.swap = true
            }
            try simulator.converge()
            simulator.changeModelFile()
        },
        PlannerCase(
            "in the middle of a swap, the old one is not brought back",
            memoryBudget: 500,
            steps: """
                load small-2
                start desk p1 small-2 < load small-2
                warmUp desk p1 small-2 < start desk p1 small-2
                traffic desk p1 small-2 < warmUp desk p1 small-2
                promote desk p1 small-2 < traffic desk p1 small-2
                """
        ) { simulator in
            simulator.commit { world in
                world.declaredMemory = ["small": 300]
                world.services["desk"]?.swap = true
            }
            try simulator.converge()
            simulator.changeModelFile()
            try simulator.perform(until: "load")
        },
        PlannerCase(
            "a swap whose new file fails brings the old one back",
            memoryBudget: 500,
            steps: """
                hold desk p1 small-2 Broken
                load small-1 < hold desk p1 small-2 Broken
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.commit { world in
                world.declaredMemory = ["small": 300]
                world.services["desk"]?.swap = true
            }
            try simulator.converge()
            simulator.changeModelFile()
            try simulator.failStep("load", .terminal)
        },
        PlannerCase(
            "two endpoints that share a model swap together",
            memoryBudget: 500,
            steps: """
                begin desk p1 small-2
                probe small-2 < begin desk p1 small-2
                begin shop p1 small-2
                traffic nowhere for desk < probe small-2 & begin shop p1 small-2
                drain desk p1 small-1 < traffic nowhere for desk
                stop desk p1 small-1 < drain desk p1 small-1
                traffic nowhere for shop < probe small-2 & begin shop p1 small-2
                drain shop p1 small-1 < traffic nowhere for shop
                stop shop p1 small-1 < drain shop p1 small-1
                unload small-1 < stop desk p1 small-1 & stop shop p1 small-1
                load small-2 < unload small-1
                start desk p1 small-2 < load small-2
                warmUp desk p1 small-2 < start desk p1 small-2
                traffic desk p1 small-2 < warmUp desk p1 small-2
                promote desk p1 small-2 < traffic desk p1 small-2
                start shop p1 small-2 < load small-2
                warmUp shop p1 small-2 < start shop p1 small-2
                traffic shop p1 small-2 < warmUp shop p1 small-2
                promote shop p1 small-2 < traffic shop p1 small-2
                """
        ) { simulator in
            simulator.commit { world in
                world.declaredMemory = ["small": 300]
                world.services["desk"]?.swap = true
                world.services["shop"] = .init(models: ["small"])
                world.services["shop"]?.swap = true
            }
            try simulator.converge()
            simulator.changeModelFile()
        },
        PlannerCase(
            "what leaves makes room first",
            memoryBudget: 500,
            steps: """
                settings big
                remove desk
                drain desk p1 small-1 < remove desk
                stop desk p1 small-1 < drain desk p1 small-1
                remove shop
                drain shop p1 small-1 < remove shop
                stop shop p1 small-1 < drain shop p1 small-1
                unload small-1 < stop desk p1 small-1 & stop shop p1 small-1
                begin big p1 large-1
                probe large-1 < begin big p1 large-1
                load large-1 < unload small-1 & probe large-1
                start big p1 large-1 < load large-1
                warmUp big p1 large-1 < start big p1 large-1
                traffic big p1 large-1 < warmUp big p1 large-1
                promote big p1 large-1 < traffic big p1 large-1
                forget desk < unload small-1
                forget shop < unload small-1
                """
        ) { simulator in
            simulator.commit { world in
                world.declaredMemory = ["small": 200, "large": 400]
                world.services["shop"] = .init(models: ["small"])
            }
            try simulator.converge()
            simulator.commit { world in
                world.services["desk"] = nil
                world.services["shop"] = nil
                world.services["big"] = .init(models: ["large"])
            }
        },
        PlannerCase(
            "a model that never fits",
            memoryBudget: 500,
            steps: """
                settings shop
                begin shop p1 huge-1
                probe huge-1 < begin shop p1 huge-1
                """,
            waits: "shop: InsufficientMemory"
        ) { simulator in
            simulator.commit { world in
                world.declaredMemory = ["huge": 900]
                world.services["shop"] = .init(models: ["huge"])
            }
        },
        PlannerCase(
            "what it takes is known after the probe",
            memoryBudget: 500,
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
    ]
}
