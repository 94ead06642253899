import Foundation
import Planning
import Schema
import Testing

@Suite struct PruneGuardTests {
    /// How many endpoints there are, and how many of them a commit still declares.
    struct Case: Sendable, CustomTestStringConvertible {
        var before: Int
        var after: Int
        /// Whether the commit declares a model beside.
        var hasModel = true
        /// Endpoints that the commit brings along.
        var new = 0
        var isStopped: Bool

        var testDescription: String {
            "\(self.before) to \(self.after), \(self.new) new" + (self.hasModel ? "" : ", nothing else")
        }
    }

    @Test(
        arguments: [
            Case(before: 10, after: 10, isStopped: false), Case(before: 10, after: 5, isStopped: false),
            Case(before: 10, after: 4, isStopped: true), Case(before: 10, after: 0, isStopped: true),
            Case(before: 5, after: 3, isStopped: false), Case(before: 5, after: 2, isStopped: true),
            // Never fewer than three, as long as anything is declared.
            Case(before: 3, after: 0, isStopped: true), Case(before: 2, after: 0, isStopped: false),
            Case(before: 1, after: 0, isStopped: false),
            // A source that declares nothing any more is stopped always.
            Case(before: 1, after: 0, hasModel: false, isStopped: true),
            Case(before: 2, after: 0, hasModel: false, isStopped: true),
            Case(before: 0, after: 0, hasModel: false, isStopped: false),
            // New ones do not make up for those that leave.
            Case(before: 10, after: 0, new: 10, isStopped: true), Case(before: 10, after: 6, new: 9, isStopped: false),
        ]
    )
    func stops(_ testCase: Case) throws {
        let names = (0..<testCase.after).map { "e\($0)" } + (0..<testCase.new).map { "n\($0)" }
        let stop = PruneGuard.stop(
            try Self.desired(names, hasModel: testCase.hasModel),
            serving: Self.endpoints(0..<testCase.before)
        )
        #expect((stop != nil) == testCase.isStopped)
        guard let stop else { return }
        #expect(stop.endpoints == Set(Self.endpoints(testCase.after..<testCase.before)))
        #expect(stop.total == testCase.before)
        #expect(stop.isEmptied == !testCase.hasModel)
    }

    @Test func whatCannotBeReadStays() throws {
        var desired = try Self.desired([])
        desired.retained = Set(Self.endpoints(0..<3))
        desired.blocked = [Self.endpoint(3): .init(resource: Self.endpoint(3), message: "broken")]
        #expect(PruneGuard.stop(desired, serving: Self.endpoints(0..<8)) == nil)
        #expect(PruneGuard.stop(desired, serving: Self.endpoints(0..<9))?.endpoints.count == 5)
    }

    /// A confirmation holds for what was confirmed and no more.
    @Test func confirmationCoversWhatItNames() throws {
        let serving = Self.endpoints(0..<10)
        let confirmation = Self.confirmation(4..<10)
        let later = try Self.desired(["e0", "e1", "e2", "e3"], commit: "c2")
        #expect(PruneGuard.stop(later, serving: serving) != nil)
        #expect(PruneGuard.stop(later, serving: serving, confirmations: [confirmation]) == nil)
        let more = try Self.desired(["e0", "e1", "e2"], commit: "c3")
        #expect(PruneGuard.stop(more, serving: serving, confirmations: [confirmation])?.endpoints.count == 7)
    }

    /// What came back, or is gone, would have to be confirmed anew.
    @Test func confirmationWearsOff() throws {
        let confirmation = Self.confirmation(4..<10)
        let without = try Self.desired(["e0", "e1", "e2", "e3"])
        let all = Set(Self.endpoints(0..<10))
        #expect(confirmation.remaining(after: without, serving: all) == confirmation)
        let back = try Self.desired((0..<6).map { "e\($0)" })
        #expect(confirmation.remaining(after: back, serving: all)?.endpoints == Self.endpoints(6..<10))
        #expect(confirmation.remaining(after: without, serving: Set(Self.endpoints(0..<8)))?.endpoints.count == 4)
        #expect(confirmation.remaining(after: without, serving: Set(Self.endpoints(0..<4))) == nil)
    }

    @Test func messageSaysWhatToType() throws {
        let stop = try #require(PruneGuard.stop(try Self.desired([]), serving: Self.endpoints(0..<5)))
        #expect(
            stop.message == """
                commit c0ffee0000 would remove 5 of 5 endpoints: default/e0, default/e1, default/e2 and 2 more; \
                nothing is removed until 'martlet confirm c0ffee0000'
                """
        )
        let decoded = try JSONDecoder().decode(PruneStop.self, from: JSONEncoder().encode(stop))
        #expect(decoded == stop)
    }

    /// What the guard stops goes on serving, in force again after a restart; the rest of the commit is carried out.
    @Test func planKeepsWhatIsGuarded() throws {
        var repository = try Repository.desk()
        for name in ["a", "b", "c"] {
            try repository.add(.endpoint, name, ["serve": ["chain": "desk"], "access": ["anonymous": true]])
        }
        let base = repository.build()
        for name in ["a", "b", "c"] { repository.resources[Repository.identity(.endpoint, name)] = nil }
        try repository.change(.promptTemplate, "reply") {
            $0["messages"] = [["role": "user", "content": "Answer it well."]]
        }
        var head = repository.build(commit: "c2", previous: base)
        let observed = ObservedState.converged(to: base)
        let serving = Set(observed.facts.variants.keys.map(\.resource))
        let stop = try #require(PruneGuard.stop(head, serving: serving))
        let now = Timestamp(milliseconds: 0)
        #expect(Planner.plan(desired: head, observed: observed, now: now).steps.contains { $0.action.word == "forget" })
        head.guarded = [stop]

        let plan = Planner.plan(desired: head, observed: observed, now: now)
        let words = Set(plan.steps.map(\.action.word))
        #expect(words.isDisjoint(with: ["removeEndpoint", "forget"]))
        let promoted = plan.steps.compactMap { step in
            if case .promote(let runner) = step.action { runner.variant.endpoint } else { nil }
        }
        #expect(promoted == ["desk"])
        #expect(plan.steps.allSatisfy { !["a", "b", "c"].contains($0.cause.resource.name) })
        #expect(plan.guarded == [stop])

        let status = StatusComputer.compute(desired: head, observed: observed, plan: plan, now: now)
        let kept = try #require(status.resources.first { $0.name == "a" })
        #expect(kept.sync == .outOfSync && kept.health == .healthy)
        #expect(
            kept.conditions.contains {
                $0.type == .blocked && $0.reason == "PruneGuarded" && $0.message == stop.message
            }
        )

        var restarted = ObservedState(facts: observed.facts)
        restarted.engines = observed.engines
        let again = Planner.plan(desired: head, observed: restarted, now: now)
        #expect(again.steps.filter { $0.action.word == "applySettings" }.count == 4)
        #expect(again.steps.contains { $0.action.word == "setTraffic" && $0.cause.resource.name == "b" })
    }

    private static func endpoint(_ number: Int) -> ResourceIdentity { Repository.identity(.endpoint, "e\(number)") }

    private static func endpoints(_ numbers: Range<Int>) -> [ResourceIdentity] { numbers.map { self.endpoint($0) } }

    private static func confirmation(_ numbers: Range<Int>) -> PruneConfirmation {
        PruneConfirmation(
            commit: "c1",
            endpoints: self.endpoints(numbers),
            actor: Actor("ada"),
            reason: "they moved",
            at: Timestamp(milliseconds: 0)
        )
    }

    private static func desired(
        _ endpoints: [String],
        hasModel: Bool = true,
        commit: String = "c0ffee0000c0ffee0000"
    ) throws -> DesiredState {
        var repository = Repository()
        if hasModel {
            repository.files = ["m.gguf": "weights"]
            try repository.add(.model, "m", ["engine": "llama", "source": ["uri": "m.gguf"]])
        }
        for name in endpoints { try repository.add(.endpoint, name, ["serve": ["model": "m"]]) }
        return repository.build(commit: commit)
    }
}
