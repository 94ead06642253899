import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

struct ChainRunnerTests {
    private let clock = ManualClock()

    private func runner(
        _ steps: [JSONValue],
        output: JSONValue? = nil,
        input: JSONValue? = nil,
        contract: JSONValue? = nil,
        parameters: JSONValue = [:]
    ) throws -> ChainRunner {
        let plan = try ChainPlan(try Specs.chain(steps: steps, output: output, input: input), name: "c")
        let renderer = try PromptRenderer(try Specs.template(parameters: parameters, output: contract))
        let name = StepRecord.Named(resource: "default/m", digest: "")
        let prompt = PromptAction(
            prompt: PromptStep(renderer: renderer, model: Specs.model, adapters: []),
            modelName: name,
            templateName: name
        )
        let names = plan.steps.map(\.name)
        return ChainRunner(
            plan: plan,
            actions: Dictionary(uniqueKeysWithValues: names.map { ($0, prompt) }),
            clock: self.clock
        )
    }

    /// Runs to the end and returns every event.
    private func events(
        _ runner: ChainRunner,
        _ model: ScriptedCompletion,
        input: JSONValue = ["m": "hi"],
        onText: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> [ChainEvent] {
        let log = Mutex<[ChainEvent]>([])
        let trace = RequestTrace(Stopwatch(self.clock))
        let resources = RunnerResources(models: [Specs.model: model])
        try await runner.run(input, resources: resources, begin: trace.begin) { update in
            log.withLock { $0.append(update.event) }
            if case .stepText(_, let text) = update.event { onText(text) }
        }
        return log.withLock { $0 }
    }

    @Test("events come in order, words live, tokens summed")
    func story() async throws {
        let model = ScriptedCompletion { request, _ in .says([request.lastMessage, "!"]) }
        let runner = try self.runner([Specs.prompt("a", "$.input.m"), Specs.prompt("b", "$.steps.a.output")])
        #expect(
            try await self.events(runner, model) == [
                .stepStarted("a"), .stepFinished("a", output: "hi!"), .stepStarted("b"), .stepText("b", "hi!"),
                .stepText("b", "!"), .stepFinished("b", output: "hi!!"),
                .finished(output: "hi!!", usage: TokenUsage(promptTokens: 6, completionTokens: 4)),
            ]
        )
    }

    @Test("independent steps run at once")
    func parallel() async throws {
        let model = ScriptedCompletion { _, _ in .waits }
        let runner = try self.runner(
            [
                Specs.prompt("a", "1"), Specs.prompt("b", "2"),
                ["name": "c", "set": ["$.steps.a.output", "$.steps.b.output"]],
            ]
        )
        async let events = self.events(runner, model)
        let (first, second) = (await model.nextCall(), await model.nextCall())
        #expect(Set([first.request.lastMessage, second.request.lastMessage]) == ["1", "2"])
        for call in [second, first] {
            call.say("=" + call.request.lastMessage)
            call.finish()
        }
        let last = try await events.last
        #expect(last == .finished(output: ["=1", "=2"], usage: TokenUsage(promptTokens: 6, completionTokens: 4)))
    }

    @Test("a failed step is tried again, with a doubled wait")
    func retries() async throws {
        let model = ScriptedCompletion { _, number in number < 2 ? .fails(CallError(.failed, "no")) : .says(["yes"]) }
        let runner = try self.runner([Specs.prompt("a", "x", ["retries": ["attempts": 2, "backoff": "100ms"]])])
        async let events = self.events(runner, model)
        await self.clock.waitForSleep(of: .milliseconds(100))
        self.clock.advance(by: .milliseconds(100))
        await self.clock.waitForSleep(of: .milliseconds(200))
        self.clock.advance(by: .milliseconds(200))
        #expect(try await events.last == .finished(output: "yes", usage: ScriptedCompletion.usage))
        #expect(model.requests.count == 3)
    }

    @Test(
        "a step that cannot succeed is not tried again",
        arguments: [CallError.Code.invalidInput, .promptTooLong, .unsupportedParameter]
    )
    func hopeless(code: CallError.Code) async throws {
        let model = ScriptedCompletion { _, _ in .fails(CallError(code, "no")) }
        let runner = try self.runner([Specs.prompt("a", "x", ["retries": ["attempts": 5, "backoff": "100ms"]])])
        await #expect(throws: CallError(code, "no")) { try await self.events(runner, model) }
        #expect(model.requests.count == 1)
    }

    @Test("a step that has given words away is not tried again")
    func noTakingBack() async throws {
        let model = ScriptedCompletion { _, _ in .waits }
        let runner = try self.runner([Specs.prompt("a", "x", ["retries": ["attempts": 5, "backoff": "1s"]])])
        let (heard, hearing) = AsyncStream<String>.makeStream()
        async let outcome = Outcome { try await self.events(runner, model) { hearing.yield($0) } }
        let call = await model.nextCall()
        call.say("once")
        for await text in heard where text == "once" { break }
        call.fail(CallError(.failed, "broken off"))
        #expect(await outcome.error as? CallError == CallError(.failed, "broken off"))
        #expect(model.requests.count == 1)
    }

    @Test("a step's time-out holds for all its attempts, and ends the model's work")
    func timeout() async throws {
        let model = ScriptedCompletion { _, number in number == 0 ? .fails(CallError(.failed, "no")) : .waits }
        let runner = try self.runner(
            [
                Specs.prompt(
                    "a",
                    "x",
                    ["timeout": "5s", "retries": ["attempts": 3, "backoff": "2s"], "onError": "skip"]
                )
            ],
            output: ["firstOf": ["$.steps.a.output", "late"]]
        )
        async let events = self.events(runner, model)
        await self.clock.wait { $0 == [.seconds(2), .seconds(5)] }
        self.clock.advance(by: .seconds(2))
        let call = await model.nextCall()
        self.clock.advance(by: .seconds(3))
        await call.waitUntilAbandoned()
        #expect(
            try await events == [
                .stepStarted("a"), .stepFailed("a", code: "failed", message: "step 'a' took longer than its timeout"),
                .stepSkipped("a"), .finished(output: "late", usage: TokenUsage()),
            ]
        )
    }

    @Test("a failing step ends the others")
    func failureEndsOthers() async throws {
        let model = ScriptedCompletion { request, _ in
            request.lastMessage == "slow" ? .waits : .fails(CallError(.failed, "no"))
        }
        let runner = try self.runner([
            Specs.prompt("a", "slow"), Specs.prompt("b", "x", ["retries": ["attempts": 1, "backoff": "1s"]]),
        ])
        async let outcome = Outcome { try await self.events(runner, model) }
        let call = await model.nextCall()
        await self.clock.waitForSleep(of: .seconds(1))
        self.clock.advance(by: .seconds(1))
        await call.waitUntilAbandoned()
        #expect(await outcome.error as? CallError == CallError(.failed, "no"))
    }

    @Test("cancelling a chain ends the model's work")
    func cancellation() async throws {
        let model = ScriptedCompletion { _, _ in .waits }
        let runner = try self.runner([Specs.prompt("a", "x")])
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    _ = try await self.events(runner, model)
                    return false
                } catch {
                    return true
                }
            }
            let call = await model.nextCall()
            group.cancelAll()
            await call.waitUntilAbandoned()
            #expect(await group.next() == true)
        }
    }

    static let schema: JSONValue = ["type": "object", "required": ["intent"]]

    @Test(
        "an answer is held against its schema",
        arguments: [
            ("retry", ["{\"intent\":\"a\"}"], ["intent": "a"], 1),
            ("retry", ["nonsense", " {\"intent\": 1}\n"], ["intent": 1], 2),
            ("retry", ["nonsense", "{}"], nil, 2),
            ("fail", ["{}"], nil, 1),
            ("pass", ["{}"], [:], 1),
            ("pass", ["nonsense"], "nonsense", 1),
        ] as [(JSONValue, [String], JSONValue?, Int)]
    )
    func contract(onInvalid: JSONValue, answers: [String], output: JSONValue?, attempts: Int) async throws {
        let model = ScriptedCompletion { _, number in .says([answers[min(number, answers.count - 1)]]) }
        let runner = try self.runner(
            [Specs.prompt("a", "x")],
            contract: ["schema": Self.schema, "onInvalid": onInvalid],
            parameters: ["seed": 7]
        )
        if let output {
            let usage = TokenUsage(promptTokens: 3 * attempts, completionTokens: 2 * attempts)
            #expect(
                try await self.events(runner, model) == [
                    .stepStarted("a"), .stepFinished("a", output: output), .finished(output: output, usage: usage),
                ]
            )
        } else {
            let error = await #expect(throws: CallError.self) { try await self.events(runner, model) }
            #expect(error?.code == .failed)
        }
        #expect(model.requests.map(\.sampling.seed) == (0..<attempts).map { UInt32(7 + $0) })
    }

    @Test("an input that does not fit the schema is refused before anything is asked")
    func inputSchema() throws {
        let runner = try self.runner([Specs.prompt("a", "x")], input: ["required": ["message"]])
        let error = #expect(throws: CallError.self) { try runner.check(["m": 1]) }
        #expect(error?.code == .invalidInput)
        #expect(error?.message == "the input does not fit the chain's schema: $ lacks 'message'")
        try runner.check(["message": 1])
    }

    @Test(
        "a wrong variable is the caller's fault only when it comes from the input",
        arguments: [("$.input.m", CallError.Code.invalidInput), (7, .failed), ("$.steps.s.output", .failed)]
            as [(JSONValue, CallError.Code)]
    )
    func blame(message: JSONValue, code: CallError.Code) async throws {
        let model = ScriptedCompletion { _, _ in .says(["never"]) }
        let runner = try self.runner([["name": "s", "set": 1], Specs.prompt("a", message)])
        let error = await #expect(throws: CallError.self) { try await self.events(runner, model, input: ["m": 1]) }
        #expect(error?.code == code)
        #expect(error?.message == "step 'a': variable 'message' must be a string, not a number")
    }
}
