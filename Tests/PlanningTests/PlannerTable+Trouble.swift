import Planning
import Schema
import TestSupport
import Testing

extension PlannerTableTests {
    /// Steps that fail, for good or for now.
    static let failures: [PlannerCase] = [
        PlannerCase(
            "the probe refuses a file: held, the old one goes on",
            steps: """
                hold desk p1 small-2 Broken
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("probe", .terminal)
        },
        PlannerCase(
            "a load fails for good",
            steps: """
                hold desk p1 small-2 Broken
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .terminal)
        },
        PlannerCase(
            "a start fails for good",
            steps: """
                hold desk p2 small-1 Broken
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.editPrompt()
            try simulator.failStep("start", .terminal)
        },
        PlannerCase(
            "a warm-up fails for good: what was started is taken down",
            steps: """
                hold desk p1 small-2 Broken
                stop desk p1 small-2 < hold desk p1 small-2 Broken
                unload small-2 < stop desk p1 small-2
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("warmUp", .terminal)
        },
        PlannerCase(
            "a load fails for now: it waits",
            waits: "desk: BackingOff"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .retryable)
        },
        PlannerCase(
            "a load waits for something",
            waits: "desk: BackingOff"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .waiting)
        },
        PlannerCase(
            "the backoff is over: it is tried again",
            steps: """
                load small-2
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
            try simulator.failStep("load", .retryable)
            simulator.now = simulator.now.advanced(byMilliseconds: 1000)
        },
        PlannerCase(
            "the progress deadline is over: held",
            steps: """
                hold desk p1 small-2 ProgressDeadlineExceeded
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .retryable)
            simulator.now = simulator.now.advanced(byMilliseconds: 3_600_000)
        },
        PlannerCase(
            "trouble that begins after the deadline, as in a new process, gets its time too",
            waits: "desk: BackingOff"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.perform(until: "load")
            simulator.now = simulator.now.advanced(byMilliseconds: 4_000_000)
            try simulator.failStep("load", .retryable)
        },
        PlannerCase(
            "the first deployment fails: held, nothing answers",
            steps: """
                hold shop p1 large-1 Broken
                """,
            waits: "shop: Held"
        ) { simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["large"]) }
            try simulator.failStep("load", .terminal)
        },
        PlannerCase(
            "one of two endpoints fails; the other one rolls",
            steps: """
                hold desk p2 small-1 Broken
                stop desk p2 small-1 < hold desk p2 small-1 Broken
                begin shop p2 small-1
                start shop p2 small-1 < begin shop p2 small-1
                warmUp shop p2 small-1 < start shop p2 small-1
                traffic shop p2 small-1 < warmUp shop p2 small-1
                promote shop p2 small-1 < traffic shop p2 small-1
                drain shop p1 small-1 < promote shop p2 small-1
                stop shop p1 small-1 < drain shop p1 small-1
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["small"]) }
            try simulator.converge()
            simulator.commit { world in
                world.services["desk"]?.promptVersion = 2
                world.services["shop"]?.promptVersion = 2
            }
            try simulator.failStep("warmUp", .terminal)
        },
        PlannerCase(
            "two endpoints want the same broken file: both are held",
            steps: """
                hold desk p1 small-2 Broken
                hold shop p1 small-2 Broken
                """,
            waits: "desk: Held, shop: Held"
        ) { simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["small"]) }
            try simulator.converge()
            simulator.changeModelFile()
            try simulator.failStep("probe", .terminal)
        },
        PlannerCase(
            "a prompt edit on top of a broken file is held at once",
            steps: """
                hold desk p2 small-2 Broken
                failed desk
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .terminal)
            simulator.editPrompt()
        },
        PlannerCase(
            "the promoted revision's load fails for good after a restart: tried again, never held",
            waits: "desk: BackingOff"
        ) { simulator in
            simulator.crash()
            try simulator.failStep("load", .terminal)
        },
        PlannerCase(
            "a new file took the process down",
            steps: """
                settings desk
                hold desk p1 small-2 CrashedWhileLoading
                load small-1 < hold desk p1 small-2 CrashedWhileLoading
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                """,
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.perform(until: "load")
            simulator.crash(whileLoading: simulator.world.instance("small").key)
        },
        PlannerCase(
            "the promoted file took the process down: not loaded again, not held",
            steps: """
                settings desk
                """,
            waits: "desk: CrashedWhileLoading"
        ) { simulator in
            simulator.crash(whileLoading: simulator.world.instance("small").key)
        },
        PlannerCase(
            "the engine is not installed",
            steps: """
                begin desk p1 small-2
                """,
            waits: "desk: EngineNotInstalled"
        ) { simulator in
            simulator.changeModelFile()
            simulator.observed.engines = ["llama"]
        },
        PlannerCase(
            "the accelerator is not there",
            steps: """
                begin desk p1 small-1
                """,
            waits: "desk: AcceleratorMissing"
        ) { simulator in
            simulator.commit { $0.accelerators["small"] = "cuda" }
            simulator.observed.engines = ["replay"]
        },
        PlannerCase(
            "the accelerator is there",
            steps: """
                begin desk p1 small-1
                probe small-1 < begin desk p1 small-1
                load small-1 < probe small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                promote desk p1 small-1 < traffic desk p1 small-1
                drain desk p1 small-1 < promote desk p1 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                """
        ) { simulator in
            simulator.commit { $0.accelerators["small"] = "cuda" }
            simulator.observed.engines = ["replay"]
            simulator.observed.accelerators = ["replay": ["cuda"]]
        },
        PlannerCase(
            "a held revision comes back by a commit: still held",
            waits: "desk: Held"
        ) { simulator in
            simulator.changeModelFile()
            try simulator.failStep("load", .terminal)
            try simulator.converge()
            simulator.commit { $0.models["small"] = 1 }
            try simulator.converge()
            simulator.commit { $0.models["small"] = 2 }
        },
        PlannerCase(
            "a newer revision than a held one is tried without ceremony",
            steps: """
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
            try simulator.failStep("load", .terminal)
            try simulator.converge()
            simulator.changeModelFile()
        },
    ]
}
