import Planning
import Schema
import TestSupport
import Testing

extension PlannerTableTests {
    /// What is mended without a commit.
    static let selfHealing: [PlannerCase] = [
        PlannerCase(
            "a new process: the promoted revision serves again, without a probe",
            steps: """
                settings desk
                load small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                """
        ) { $0.crash() },
        PlannerCase(
            "a new process that has lost its probes: promoted revisions are trusted",
            steps: """
                settings desk
                load small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                """
        ) { simulator in
            simulator.crash()
            simulator.observed.facts.probes = [:]
        },
        PlannerCase(
            "a new process in the middle of a rollout: promoted first, then the rollout goes on",
            steps: """
                settings desk
                load small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                start desk p2 small-1 < load small-1
                warmUp desk p2 small-1 < start desk p2 small-1
                traffic desk p2 small-1 < traffic desk p1 small-1 & warmUp desk p2 small-1
                promote desk p2 small-1 < traffic desk p2 small-1
                drain desk p1 small-1 < promote desk p2 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.editPrompt()
            try simulator.perform(until: "warmUp")
            simulator.crash()
        },
        PlannerCase(
            "a new process while the endpoint's manifest is broken: the settings come from the facts",
            steps: """
                settings desk
                load small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                traffic desk p1 small-1 < warmUp desk p1 small-1
                """,
            waits: "desk: ManifestInvalid"
        ) { simulator in
            simulator.commit { $0.services["desk"] = nil }
            simulator.desired.blocked = [
                simulator.deskEndpoint: .init(resource: simulator.deskEndpoint, message: "bad")
            ]
            simulator.crash()
        },
        PlannerCase(
            "an instance died",
            steps: """
                load small-1
                """
        ) { simulator in
            let key = simulator.world.instance("small").key
            simulator.observed.runtime.instances[key]?.state = .failed
        },
        PlannerCase(
            "an instance and its runner died",
            steps: """
                load small-1
                start desk p1 small-1 < load small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                """
        ) { simulator in
            let key = simulator.world.instance("small").key
            simulator.observed.runtime.instances[key]?.state = .failed
            simulator.observed.runtime.runners[try simulator.promotedRunner]?.state = .failed
        },
        PlannerCase(
            "a runner failed",
            steps: """
                start desk p1 small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                """
        ) { simulator in
            simulator.observed.runtime.runners[try simulator.promotedRunner]?.state = .failed
        },
        PlannerCase(
            "a runner is gone",
            steps: """
                start desk p1 small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                """
        ) { simulator in
            simulator.observed.runtime.runners[try simulator.promotedRunner] = nil
        },
        PlannerCase(
            "one of three replicas died",
            steps: """
                scale desk p1 small-1 x3
                """
        ) { simulator in
            simulator.commit { $0.services["desk"]?.replicas = 3 }
            try simulator.converge()
            simulator.observed.runtime.runners[try simulator.promotedRunner]?.replicas = 2
        },
        PlannerCase(
            "the traffic is lost",
            steps: """
                traffic desk p1 small-1
                """
        ) { $0.observed.runtime.traffic = [:] },
        PlannerCase(
            "the promoted runner dies while another revision is prepared",
            steps: """
                start desk p1 small-1
                warmUp desk p1 small-1 < start desk p1 small-1
                load small-2
                start desk p1 small-2 < load small-2
                warmUp desk p1 small-2 < start desk p1 small-2
                traffic desk p1 small-2 < warmUp desk p1 small-2
                promote desk p1 small-2 < traffic desk p1 small-2
                drain desk p1 small-1 < warmUp desk p1 small-1 & promote desk p1 small-2
                stop desk p1 small-1 < drain desk p1 small-1
                unload small-1 < stop desk p1 small-1
                """
        ) { simulator in
            simulator.changeModelFile()
            try simulator.perform(until: "load")
            simulator.observed.runtime.runners[try simulator.promotedRunner]?.state = .failed
        },
        PlannerCase(
            "a drain goes on",
            steps: """
                drain desk p1 small-1
                stop desk p1 small-1 < drain desk p1 small-1
                """
        ) { simulator in
            simulator.editPrompt()
            try simulator.perform(until: "drain")
            let old = simulator.observed.runtime.runners.keys.first { $0 != (try? simulator.desiredRunner) }
            simulator.observed.runtime.runners[try #require(old)]?.state = .draining
        },
        PlannerCase(
            "a runner that nobody knows",
            steps: """
                drain gone 4bf5122f34
                stop gone 4bf5122f34 < drain gone 4bf5122f34
                """
        ) { simulator in
            let stranger = RunnerKey(PlanWorld.variant("gone"), Revision(Digest(of: [1])))
            simulator.observed.runtime.runners[stranger] = RunnerObservation(state: .ready, replicas: 1)
        },
    ]
}
