import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

struct EndpointServiceTests {
    private func textRequest(_ change: (inout TextRequest) -> Void = { _ in }) -> TextRequest {
        var request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "hi")]))
        change(&request)
        return request
    }

    @Test("a bare model gets the caller's own parameters, and its words pass unchanged")
    func bareModel() async throws {
        try await EndpointFixture.run({ _, _ in .says(["Hel", "lo"], .length) }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph(3))
            let request = self.textRequest {
                $0.temperature = 0.5
                $0.topP = 0.9
                $0.seed = 7
                $0.frequencyPenalty = 0.1
                $0.presencePenalty = 0.2
                $0.maxTokens = 5
                $0.stop = ["x"]
                $0.topLogProbabilities = 2
            }
            let answer = try await fixture.server.text(fixture.call(request))
            var events: [CompletionEvent] = []
            for try await event in answer.events { events.append(event) }
            #expect(
                events == [
                    .text("Hel", logProbabilities: []), .text("lo", logProbabilities: []),
                    .finished(.length, ScriptedCompletion.usage),
                ]
            )
            #expect(
                answer.stamp
                    == AnswerStamp(
                        variant: EndpointFixture.variant,
                        revision: EndpointFixture.revision(3),
                        commit: "c1",
                        replayed: false
                    )
            )
            var sampling = SamplingParameters()
            (sampling.temperature, sampling.topP, sampling.seed) = (0.5, 0.9, 7)
            (sampling.frequencyPenalty, sampling.presencePenalty) = (0.1, 0.2)
            let expected = CompletionRequest(
                prompt: request.prompt,
                sampling: sampling,
                maxTokens: 5,
                stop: ["x"],
                topLogProbabilities: 2
            )
            #expect(model.requests == [expected])
        }
    }

    @Test("a chain answers with its output, live, and with the reason of the step that spoke")
    func chainText() async throws {
        try await EndpointFixture.run({ _, _ in .says(["a", "b"], .length) }) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.promptGraph(prefix: "> "))
            let answer = try await fixture.server.text(fixture.call(self.textRequest()))
            var events: [CompletionEvent] = []
            for try await event in answer.events { events.append(event) }
            #expect(
                events == [
                    .text("a", logProbabilities: []), .text("b", logProbabilities: []),
                    .finished(.length, ScriptedCompletion.usage),
                ]
            )
        }
    }

    @Test("a chain's parameters cannot be set by the caller")
    func refusedParameters() async throws {
        let changes: [(String, @Sendable (inout TextRequest) -> Void)] = [
            ("temperature", { $0.temperature = 1 }), ("top_p", { $0.topP = 1 }), ("seed", { $0.seed = 1 }),
            ("frequency_penalty", { $0.frequencyPenalty = 0 }), ("presence_penalty", { $0.presencePenalty = 0 }),
            ("max_tokens", { $0.maxTokens = 9 }),
            ("max_completion_tokens", { ($0.maxTokens, $0.maxTokensName) = (9, "max_completion_tokens") }),
            ("stop", { $0.stop = ["x"] }),
            ("logprobs", { $0.topLogProbabilities = 1 }),
        ]
        try await EndpointFixture.run({ _, _ in .says(["never"]) }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.promptGraph())
            for (name, change) in changes {
                let error = await #expect(throws: CallError.self) {
                    try await fixture.server.text(fixture.call(self.textRequest(change)))
                }
                #expect(error?.code == .unsupportedParameter)
                #expect(error?.parameter == name)
            }
            #expect(model.requests.isEmpty)
        }
    }

    @Test("an error before the first word is thrown, one behind it ends the stream")
    func errors() async throws {
        let tooLong = MartletError("PromptTooLong", "the prompt has 600 tokens, the context holds 512")
        try await EndpointFixture.run({ _, number in number == 0 ? .fails(tooLong) : .waits }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            let error = await #expect(throws: CallError.self) { try await fixture.ask("hi") }
            #expect(error == CallError(.promptTooLong, tooLong.message))

            async let asked = fixture.server.text(fixture.call(self.textRequest()))
            let call = await model.nextCall()
            call.say("once")
            let answer = try await asked
            call.fail(MartletError("InstanceFailed", "the model died", disposition: .retryable))
            var text = ""
            let late = await #expect(throws: CallError.self) {
                for try await event in answer.events {
                    if case .text(let piece, _) = event { text += piece }
                }
            }
            #expect(text == "once")
            #expect(late?.code == .unavailable)
        }
    }

    @Test("limits.timeout ends a request, and its work")
    func timeout() async throws {
        try await EndpointFixture.run({ _, _ in .waits }) { fixture, model in
            try await fixture.deploy(
                try EndpointFixture.modelGraph(),
                settings: ["limits": ["maxBodyBytes": "1Mi", "timeout": "7s"]]
            )
            async let outcome = Outcome { try await fixture.ask("hi") }
            let call = await model.nextCall()
            await fixture.clock.waitForSleep(of: .seconds(7))
            fixture.clock.advance(by: .seconds(7))
            let error = await outcome.error as? CallError
            #expect(error == CallError(.timeout, "the request took longer than the endpoint allows (7s)"))
            await call.waitUntilAbandoned()
        }
    }

    @Test("a caller who leaves ends the work and gives the seat back")
    func callerLeaves() async throws {
        try await EndpointFixture.run({ _, _ in .waits }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            func listenAWhile() async throws -> ScriptedCompletion.Call {
                async let asked = fixture.server.text(fixture.call(self.textRequest()))
                let call = await model.nextCall()
                call.say("once")
                for try await _ in try await asked.events { break }
                return call
            }
            let call = try await listenAWhile()
            await call.waitUntilAbandoned()
            let runner = RunnerKey(EndpointFixture.variant, EndpointFixture.revision(0))
            await fixture.server.drain(runner, timeout: .seconds(9))
            let observed = await fixture.server.observe().runners[runner]
            #expect(observed?.inFlight == 0)
            #expect(observed?.state == .drained)
        }
    }

    @Test("a caller whose task is cancelled ends the work, before the first word too")
    func callerCancelled() async throws {
        try await EndpointFixture.run({ _, _ in .waits }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            await withTaskGroup(of: Bool.self) { group in
                group.addTask { await Outcome { try await fixture.ask("hi") }.error is CancellationError }
                let call = await model.nextCall()
                group.cancelAll()
                #expect(await group.next() == true)
                await call.waitUntilAbandoned()
            }
        }
    }

    @Test("an answer under way when the server ends says so, and what comes later is refused")
    func serverEnds() async throws {
        let kept = Mutex<(fixture: EndpointFixture, answer: TextAnswer)?>(nil)
        try await EndpointFixture.run({ _, _ in .waits }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            async let asked = fixture.server.text(fixture.call(self.textRequest()))
            let call = await model.nextCall()
            call.say("once")
            let answer = try await asked
            kept.withLock { $0 = (fixture, answer) }
        }
        let (fixture, answer) = try #require(kept.withLock { $0 })
        let ending = CallError(.interrupted, "the server is shutting down", retryAfter: 1)
        #expect(await Outcome { for try await _ in answer.events {} }.error as? CallError == ending)
        let late = await Outcome { try await fixture.ask("hi") }.error as? CallError
        #expect(late == CallError(.unavailable, "the server is shutting down", retryAfter: 1))
    }

    @Test("what an endpoint cannot do is refused")
    func mismatches() async throws {
        try await EndpointFixture.run({ _, _ in .says(["x"]) }) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            let chain = await #expect(throws: CallError.self) { try await fixture.server.chain(fixture.call([:])) }
            #expect(chain?.code == .invalidInput)
            try await fixture.deploy(try EndpointFixture.promptGraph(1))
            let vectors = await #expect(throws: CallError.self) {
                try await fixture.server.embeddings(fixture.call(["x"]))
            }
            #expect(vectors?.code == .invalidInput)
            let input = await #expect(throws: CallError.self) { try await fixture.server.chain(fixture.call([:])) }
            #expect(input?.message == "the input does not fit the chain's schema: $ lacks 'message'")
            let nowhere = EndpointName(namespace: "shop", name: "desk")
            let unknown = await #expect(throws: CallError.self) {
                try await fixture.server.text(fixture.call(self.textRequest(), endpoint: nowhere))
            }
            #expect(unknown?.code == .endpointNotFound)
        }
    }

    @Test(
        "what only asks a server elsewhere is done where the call says, and nothing of it is kept afterwards",
        .timeLimit(.minutes(1)),
        arguments: [true, false]
    )
    func executor(isElsewhere: Bool) async throws {
        try await EndpointFixture.run({ _, _ in .says([]) }) { fixture, _ in
            var graph = try EndpointFixture.modelGraph()
            if isElsewhere {
                let member = UpstreamSet.Member(url: "http://elsewhere", model: "m")
                graph.models[0].instance.upstreams = UpstreamSet(members: [member])
                try await fixture.server.load(graph.models[0].instance, opening: ModelOpening(file: "/m.gguf"))
            }
            try await fixture.deploy(graph)
            weak var left: CountingExecutor?
            do {
                let executor = CountingExecutor()
                left = executor
                var call = fixture.call(["a"])
                call.executor = executor
                _ = try await fixture.server.embeddings(call)
                // A model in this process reads its prompt, which may take a while.
                #expect((executor.jobs > 0) == isElsewhere)
            }
            // The last job lets go of its executor when it has ended, which nobody is told.
            while left != nil { await Task.yield() }
        }
    }

    @Test("embeddings and chains answer in their own forms")
    func otherForms() async throws {
        try await EndpointFixture.run({ request, _ in .says([request.lastMessage]) }) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            let vectors = try await fixture.server.embeddings(fixture.call(["a", "bcd"]))
            #expect(vectors.vectors == [[1, 0], [3, 0]])
            #expect(vectors.usage == TokenUsage(promptTokens: 2))

            try await fixture.deploy(try EndpointFixture.promptGraph(1))
            let answer = try await fixture.server.chain(fixture.call(["message": "yo"]))
            var events: [ChainEvent] = []
            for try await event in answer.events { events.append(event) }
            #expect(
                events == [
                    .stepStarted("a"), .stepText("a", "yo"), .stepFinished("a", output: "yo"),
                    .finished(output: "yo", usage: ScriptedCompletion.usage),
                ]
            )
        }
    }

    @Test("settings are in force from the next request on, without a new revision")
    func settings() async throws {
        try await EndpointFixture.run({ _, _ in .says(["x"]) }) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            let listing = EndpointListing(
                name: EndpointFixture.name,
                revision: EndpointFixture.revision(0),
                since: fixture.wallClock.now(),
                maxBodyBytes: 1 << 20
            )
            #expect(fixture.server.listings(for: .anonymous) == [listing])
            let closed = try Specs.settings(["access": ["anonymous": false, "tenants": ["acme"]]])
            await fixture.server.apply(closed, to: EndpointFixture.variant.resource)
            #expect(fixture.server.listings(for: .anonymous) == [])
            #expect(try fixture.server.listing(of: EndpointFixture.name, for: .tenant("acme")) == listing)
            await #expect(throws: CallError.self) { try await fixture.ask("hi") }
            #expect(try await fixture.ask("hi", as: .tenant("acme")).text == "x")
            await fixture.server.remove(endpoint: EndpointFixture.variant.resource)
            #expect(fixture.server.listings(for: .tenant("acme")) == [])
            #expect(await fixture.server.observe().settings == [:])
        }
    }

    @Test("what was served is counted, by result")
    func metrics() async throws {
        try await EndpointFixture.run({ request, _ in
            request.lastMessage == "bad" ? .fails(MartletError("DecodeFailed", "no")) : .says(["x"])
        }) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            _ = try await fixture.ask("good")
            _ = try await fixture.ask("good")
            await #expect(throws: CallError.self) { try await fixture.ask("bad") }
            let metrics = fixture.server.metrics
            let key = RunnerKey(EndpointFixture.variant, EndpointFixture.revision(0))
            let subject = try #require(metrics.subjects[key])
            #expect(subject.requests == ["ok": 2, "failed": 1])
            #expect(subject.usage == TokenUsage(promptTokens: 6, completionTokens: 4))
            #expect(subject.duration.count == 3)
            #expect(subject.timeToFirstToken.count == 2)
            #expect(subject.outputTokens.counts[1] == 2)
            #expect(metrics.queued[key] == 0)
            #expect(metrics.instances[EndpointFixture.instance.key]?.state == .ready)
        }
    }

    @Test("counts of stopped revisions are kept for a while, not for ever")
    func retiredCounts() {
        let collector = MetricsCollector()
        let keys = (0...MetricsCollector.keptRetired).map {
            RunnerKey(EndpointFixture.variant, EndpointFixture.revision($0))
        }
        for key in keys { collector.record("ok", of: key, seconds: 1, firstTokenAfter: nil, usage: nil) }
        for key in keys.dropLast() + [keys[0]] { collector.retire(key) }
        #expect(collector.collected.count == keys.count)
        collector.retire(keys[keys.count - 1])
        #expect(collector.collected[keys[1]] == nil)
        #expect(collector.collected[keys[0]] != nil)
    }

    @Test("a histogram counts each value in the first bucket that holds it")
    func histogram() {
        var histogram = Histogram(bounds: [1, 2])
        for value in [0.5, 1, 1.5, 2.5] { histogram.record(value) }
        #expect(histogram.counts == [2, 1, 1])
        #expect(histogram.sum == 5.5)
        #expect(histogram.count == 4)
    }
}

/// Runs jobs at once, and counts them.
private final class CountingExecutor: TaskExecutor {
    private let count = Mutex(0)

    var jobs: Int { self.count.withLock { $0 } }

    func enqueue(_ job: consuming ExecutorJob) {
        self.count.withLock { $0 += 1 }
        let job = UnownedJob(job)
        // On a thread of the pool, as jobs of others.
        Task { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
