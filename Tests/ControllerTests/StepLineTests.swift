import Planning
import Schema
import TestSupport
import Testing

@testable import Controller

@Suite struct StepLineTests {
    private static let broken = MartletError("NoSuchTensor", "no such tensor")

    private let runtime = FakeRuntime()

    private var executor: PlanExecutor {
        PlanExecutor(
            runtime: self.runtime,
            artifacts: FakeArtifacts(),
            probe: FakeProbe(),
            store: MemoryControlStore()
        )
    }

    /// Steps that start endpoints and then send them their traffic, one after the other.
    private static func steps(of names: [String]) throws -> [PlanStep] {
        let world = PlanWorld(
            models: ["small": 1],
            services: Dictionary(uniqueKeysWithValues: names.map { ($0, .init(models: ["small"])) })
        )
        let graphs = try names.map { try #require(world.graph($0)) }
        return graphs.enumerated().flatMap { number, graph in
            let shares = [TrafficShare(revision: graph.revision, weight: 100)]
            let actions: [StepAction] = [.start(graph, replicas: 1), .setTraffic(graph.variant, shares)]
            return actions.enumerated().map { place, action in
                PlanStep(
                    action: action,
                    reason: "",
                    cause: PlanCause(resource: graph.variant.resource),
                    after: place == 0 ? [] : [2 * number]
                )
            }
        }
    }

    private static func isSkipped(_ result: Result<StepOutcome, any Error>) -> Bool {
        if case .failure(is StepSkipped) = result { true } else { false }
    }

    @Test func whatComesAfterAFailureIsSkipped() async throws {
        self.runtime.change { $0.startErrors = [Self.broken] }
        let line = try #require(StepLine(of: try Self.steps(of: ["a", "b"])) { _ in true })
        let ends = await line.perform(by: self.executor)
        #expect(ends.map { Self.isSkipped($0.1) } == [false, true, false, false])
        #expect(self.runtime.calls == ["start default/b", "setTraffic default/b"])
    }

    @Test func whatComesAfterOthersIsSkippedOnceSomethingNewerIsDecided() async throws {
        let line = try #require(StepLine(of: try Self.steps(of: ["a", "b"])) { _ in true })
        line.interrupt()
        let ends = await line.perform(by: self.executor)
        #expect(ends.map { Self.isSkipped($0.1) } == [false, true, false, true])
        #expect(self.runtime.calls == ["start default/a", "start default/b"])
    }

    @Test func stepThatCannotBeginKeepsItsSuccessorsOut() async throws {
        let line = StepLine(of: try Self.steps(of: ["a", "b"])) { action in
            if case .start(let graph, _) = action { graph.variant.endpoint != "a" } else { true }
        }
        _ = await line?.perform(by: self.executor)
        #expect(self.runtime.calls == ["start default/b", "setTraffic default/b"])
    }

    @Test func nothingNewTakesTrafficWhileSettingsAreApplied() async throws {
        let endpoint = PlanWorld.variant("a").resource
        let settings = try #require(
            PlanWorld(models: ["small": 1], services: ["a": .init(models: ["small"])]).settings("a")
        )
        let step = PlanStep(
            action: .applySettings(endpoint, settings),
            reason: "",
            cause: PlanCause(resource: endpoint)
        )
        let line = StepLine(of: try Self.steps(of: ["a"]) + [step]) { _ in true }
        _ = await line?.perform(by: self.executor)
        #expect(self.runtime.calls == ["start default/a", "apply \(endpoint)"])
    }

    @Test func stepThatWaitsHasNoPlaceInALine() async throws {
        var steps = try Self.steps(of: ["a"])
        steps[0].action = .warmUp(RunnerKey(PlanWorld.variant("a"), Revision(Digest(of: "a".utf8))))
        #expect(StepLine(of: steps) { _ in true } == nil)
    }

    /// Steps that close endpoints and then take their traffic away, one after the other.
    private static func closing(_ names: [String]) -> [PlanStep] {
        names.enumerated().flatMap { number, name in
            let variant = PlanWorld.variant(name)
            let actions: [StepAction] = [.removeEndpoint(variant.resource), .setTraffic(variant, [])]
            return actions.enumerated().map { place, action in
                PlanStep(
                    action: action,
                    reason: "",
                    cause: PlanCause(resource: variant.resource),
                    after: place == 0 ? [] : [2 * number]
                )
            }
        }
    }

    @Test func thousandsOfStepsEndInTheirOrder() async throws {
        let names = (0..<1000).map { "endpoint-\($0)" }
        // An odd number of steps, so that a line that is cut anywhere is cut between two that belong together.
        let steps = Self.closing(names) + Self.closing(["alone"]).prefix(1)
        let line = try #require(StepLine(of: steps) { _ in true })
        let ends = await line.perform(by: self.executor)
        #expect(ends.map(\.0.key) == steps.map(\.action.key))
        let places = Dictionary(uniqueKeysWithValues: self.runtime.calls.enumerated().map { ($1, $0) })
        #expect(places.count == steps.count)
        for name in names {
            let (close, traffic) = (places["remove Endpoint/default/\(name)"], places["setTraffic default/\(name)"])
            #expect(try #require(close) < #require(traffic))
        }
    }

    @Test func lineHasAnEnd() throws {
        let steps = Self.closing((0...StepLine.longest / 2).map { "endpoint-\($0)" })
        var begun = 0
        let line = StepLine(of: steps) { _ in
            begun += 1
            return true
        }
        #expect(line != nil)
        #expect(begun == StepLine.longest)
    }
}
