import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// What a chain tells of the guards of its templates, and whose fault a refusal is.
struct ChainGuardTests {
    private func events(_ steps: [JSONValue], guards: JSONValue, says: [String] = ["bad", " answer"]) async -> (
        [ChainEvent], CallError?
    ) {
        let log = Mutex<[ChainEvent]>([])
        do {
            let plan = try ChainPlan(try Specs.chain(steps: steps), name: "c")
            let renderer = try PromptRenderer(try Specs.template(guards: guards))
            let name = StepRecord.Named(resource: "default/m", digest: "")
            let step = PromptAction(
                prompt: PromptStep(renderer: renderer, model: Specs.model, adapters: []),
                modelName: name,
                templateName: name
            )
            let clock = ManualClock()
            let runner = ChainRunner(
                plan: plan,
                actions: Dictionary(uniqueKeysWithValues: plan.steps.map { ($0.name, step) }),
                clock: clock
            )
            let trace = RequestTrace(Stopwatch(clock))
            let model = ScriptedCompletion { _, _ in .says(says) }
            let resources = RunnerResources(models: [Specs.model: model])
            try await runner.run(["m": "so bad"], resources: resources, begin: trace.begin) { update in
                log.withLock { $0.append(update.event) }
            }
            let noted = trace.firedGuards
            let told = log.withLock { $0 }.compactMap {
                if case .guardFired(_, let record) = $0 { record } else { nil }
            }
            #expect(noted == told)
            return (log.withLock { $0 }, nil)
        } catch {
            return (log.withLock { $0 }, error as? CallError)
        }
    }

    private static func guards(_ place: String, _ action: JSONValue) -> JSONValue {
        let rules: JSONValue = [["deny": ["pattern": "bad"], "action": action]]
        return place == "input" ? ["input": rules, "output": []] : ["input": [], "output": rules]
    }

    private static let fault = "spec.guards.input[0]: variable 'message' has what it denies"

    @Test("what the caller sent is refused as the caller's")
    func callersFault() async {
        let (events, error) = await self.events(
            [Specs.prompt("a", "$.input.m")],
            guards: Self.guards("input", "refuse")
        )
        #expect(error?.code == .guardRefused)
        #expect(error?.message == "step 'a': what is asked was refused by a guard: \(Self.fault)")
        let record = GuardRecord(place: "input", rule: "deny", action: "refuse", detail: Self.fault)
        #expect(events.prefix(2) == [.stepStarted("a"), .guardFired("a", record)])
    }

    @Test("what the chain itself put there is not")
    func chainsFault() async {
        let (_, error) = await self.events([Specs.prompt("a", "a bad idea")], guards: Self.guards("input", "refuse"))
        #expect(error?.code == .failed)
    }

    @Test("a refusal can have something in its place")
    func replacement() async {
        let step = Specs.prompt("a", "$.input.m", ["onError": ["use": "Let us talk about your order."]])
        let (events, error) = await self.events([step], guards: Self.guards("input", "refuse"))
        #expect(error == nil)
        guard case .finished(let output, _)? = events.last else {
            Issue.record("the chain did not finish")
            return
        }
        #expect(output == "Let us talk about your order.")
    }

    @Test("a guarded answer comes after its guard, whole")
    func order() async {
        let (events, _) = await self.events([Specs.prompt("a", "x")], guards: Self.guards("output", "redact"))
        let record = GuardRecord(
            place: "output",
            rule: "deny",
            action: "redact",
            detail: "spec.guards.output[0]: the answer has what it denies"
        )
        #expect(
            events == [
                .stepStarted("a"), .guardFired("a", record), .stepText("a", "[redacted] answer"),
                .stepFinished("a", output: "[redacted] answer"),
                .finished(output: "[redacted] answer", usage: ScriptedCompletion.usage),
            ]
        )
    }
}
