import Planning
import Schema
import TestSupport

extension PlanSimulator {
    /// Lets `desk` have from none to four replicas, and wants so many of it.
    mutating func want(_ replicas: Int, of name: String = "desk", upTo most: Int = 4) throws {
        self.commit { $0.services[name]?.scale(from: 0, to: most) }
        try self.converge()
        self.decide(replicas, of: name)
    }

    mutating func decide(_ replicas: Int, of name: String = "desk") {
        self.observed.scaling[PlanWorld.variant(name)] = ScalingDecision(
            replicas: replicas,
            reason: "\(replicas) are needed"
        )
    }

    /// Puts `desk` to sleep.
    mutating func sleep() throws {
        try self.want(0)
        try self.converge()
    }
}

extension PlannerTableTests {
    static let scaling = Self.replicas + Self.sleeping

    static let replicas = [
        PlannerCase("more replicas are needed", steps: "scale desk p1 small-1 x3") { simulator in
            try simulator.want(3)
        },
        PlannerCase("more than the manifest allows", steps: "scale desk p1 small-1 x2") { simulator in
            try simulator.want(9, upTo: 2)
        },
        PlannerCase("what is decided counts for nothing where the number is fixed") { simulator in
            simulator.decide(3)
        },
        PlannerCase(
            "a new revision starts with the number of the old one, which is scaled meanwhile",
            steps: """
                begin desk p2 small-1
                scale desk p1 small-1 x3
                start desk p2 small-1 x3 < begin desk p2 small-1
                warmUp desk p2 small-1 < start desk p2 small-1 x3
                traffic desk p2 small-1 < warmUp desk p2 small-1
                promote desk p2 small-1 < traffic desk p2 small-1
                drain desk p1 small-1 < scale desk p1 small-1 x3 & promote desk p2 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            try simulator.want(3)
            simulator.editPrompt()
        },
        PlannerCase(
            "a replica that cannot be added keeps no new revision waiting",
            steps: """
                begin desk p2 small-1
                start desk p2 small-1 x3 < begin desk p2 small-1
                warmUp desk p2 small-1 < start desk p2 small-1 x3
                traffic desk p2 small-1 < warmUp desk p2 small-1
                promote desk p2 small-1 < traffic desk p2 small-1
                drain desk p1 small-1 < promote desk p2 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """,
            waits: "desk: BackingOff"
        ) { simulator in
            try simulator.want(3)
            simulator.fail(.scale(try simulator.promotedRunner, replicas: 3), "InstanceFailed", .retryable)
            simulator.editPrompt()
        },
    ]

    static let sleeping = [
        PlannerCase(
            "nobody asks: no replica, and nothing loaded",
            steps: """
                scale desk p1 small-1 x0
                unload small-1 < scale desk p1 small-1 x0
                """
        ) { simulator in
            try simulator.want(0)
        },
        PlannerCase("asleep") { simulator in
            try simulator.sleep()
        },
        PlannerCase("asleep beside one that answers with the same model", steps: "scale desk p1 small-1 x0") {
            simulator in
            simulator.commit { $0.services["shop"] = .init(models: ["small"]) }
            try simulator.want(0)
        },
        PlannerCase(
            "somebody asks: the model comes back before the replicas do",
            steps: """
                load small-1
                scale desk p1 small-1 x2 < load small-1
                """
        ) { simulator in
            try simulator.sleep()
            simulator.decide(2)
        },
        PlannerCase("somebody asks, and the model does not load", waits: "desk: BackingOff") { simulator in
            try simulator.sleep()
            simulator.decide(2)
            simulator.fail(.load(simulator.world.instance("small")), "DiskBusy", .retryable)
        },
        PlannerCase(
            "a new revision is tried out before it sleeps too",
            steps: """
                begin desk p2 small-1
                load small-1 < begin desk p2 small-1
                start desk p2 small-1 < load small-1
                warmUp desk p2 small-1 < start desk p2 small-1
                traffic desk p2 small-1 < warmUp desk p2 small-1
                promote desk p2 small-1 < traffic desk p2 small-1
                drain desk p1 small-1 < promote desk p2 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                scale desk p2 small-1 x0 < promote desk p2 small-1
                unload small-1 < stop desk p1 small-1 & scale desk p2 small-1 x0
                """
        ) { simulator in
            try simulator.sleep()
            simulator.editPrompt()
        },
        PlannerCase(
            "asleep, suspended, and somebody asks",
            steps: """
                load small-1
                scale desk p1 small-1 x1 < load small-1
                """,
            waits: "desk: Suspended"
        ) { simulator in
            try simulator.sleep()
            simulator.observed.facts.suspensions = [.everything]
            simulator.decide(1)
        },
        PlannerCase("suspended, and nobody asks", waits: "desk: Suspended") { simulator in
            try simulator.want(0)
            simulator.observed.facts.suspensions = [.everything]
        },
        PlannerCase(
            "who sleeps leaves its memory to others",
            memoryBudget: 150,
            steps: """
                begin shop p1 other-1
                probe other-1 < begin shop p1 other-1
                load other-1 < probe other-1
                start shop p1 other-1 < load other-1
                warmUp shop p1 other-1 < start shop p1 other-1
                traffic shop p1 other-1 < warmUp shop p1 other-1
                promote shop p1 other-1 < traffic shop p1 other-1
                """
        ) { simulator in
            simulator.world.declaredMemory = ["small": 100, "other": 100]
            try simulator.sleep()
            simulator.commit { $0.services["shop"] = .init(models: ["other"]) }
            simulator.observed.runtime.settings[PlanWorld.variant("shop").resource] =
                simulator.world.settings("shop")?.revision
        },
    ]
}
