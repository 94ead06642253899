import Planning
import Schema
import TestSupport
import Testing

/// One situation, and the plan for it in words.
struct PlannerCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var memoryBudget: Int64?
    /// Brings the simulator, whose endpoint `desk` with the model `small` has converged, into the situation.
    let prepare: @Sendable (inout PlanSimulator) throws -> Void
    /// One a line.
    let steps: String
    let waits: String

    init(
        _ name: String,
        memoryBudget: Int64? = nil,
        steps: String = "",
        waits: String = "",
        _ prepare: @escaping @Sendable (inout PlanSimulator) throws -> Void
    ) {
        self.testDescription = name
        self.memoryBudget = memoryBudget
        self.prepare = prepare
        self.steps = steps
        self.waits = waits
    }
}

@Suite("Planner table")
struct PlannerTableTests {
    static let cases =
        Self.commits + Self.selfHealing + Self.failures + Self.people + Self.memory + Self.lazy + Self.scaling

    @Test("Each situation has its plan", arguments: Self.cases)
    func plan(_ row: PlannerCase) throws {
        var simulator = PlanSimulator(
            world: PlanWorld(models: ["small": 1], services: ["desk": .init(models: ["small"])]),
            memoryBudget: row.memoryBudget,
            seed: 1
        )
        try simulator.converge()
        try row.prepare(&simulator)
        let plan = simulator.plan()
        #expect(simulator.words(plan) == row.steps.split(separator: "\n").map(String.init))
        #expect(simulator.waits(plan).joined(separator: ", ") == row.waits)
        // Whatever the plan is, its steps break no dependency in any order, and lead on to an end.
        try simulator.performInRandomOrder(plan)
        try simulator.calmDown()
        try simulator.checkEnd()
    }
}

extension PlanSimulator {
    var desk: VariantID { PlanWorld.variant("desk") }
    var deskEndpoint: ResourceIdentity { self.desk.resource }

    /// The runner of what `desk` has promoted.
    var promotedRunner: RunnerKey {
        get throws { RunnerKey(self.desk, try #require(self.observed.facts.variants[self.desk]?.promoted)) }
    }

    /// The runner of what the commit asks `desk` to be.
    var desiredRunner: RunnerKey {
        get throws { RunnerKey(self.desk, try #require(self.desired.variants[self.desk]?.revision)) }
    }

    mutating func editPrompt() {
        self.commit { $0.services["desk"]?.promptVersion += 1 }
    }

    mutating func changeModelFile() {
        self.commit { $0.models["small", default: 1] += 1 }
    }

    /// Performs the steps of the plan up to the first one with this word, which is left to do.
    mutating func perform(until word: String) throws {
        for step in self.plan().steps {
            if step.action.word == word { return }
            try self.perform(step)
        }
        Issue.record("no step '\(word)' came")
    }

    /// Lets the first step with this word fail, after what comes before it was done.
    mutating func failStep(_ word: String, _ disposition: MartletError.Disposition, code: String = "Broken") throws {
        try self.perform(until: word)
        let action = try #require(self.plan().steps.first { $0.action.word == word }?.action)
        self.fail(action, code, disposition)
    }
}
