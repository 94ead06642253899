import Planning
import Synchronization
import TestSupport
import Testing

@testable import Schema
@testable import Serving

struct ReplacementTests {
    /// Whether the replacements are over.
    private final class Flag: Sendable {
        private let raised = Mutex(false)

        var isRaised: Bool { self.raised.withLock { $0 } }
        func raise() { self.raised.withLock { $0 = true } }
    }

    private func key(_ number: Int) -> RunnerKey {
        RunnerKey(EndpointFixture.variant, EndpointFixture.revision(number))
    }

    @Test("50 streaming callers lose nothing while the serving revision is replaced 100 times")
    func replacements() async throws {
        let (callers, replacements) = (50, 100)
        let engine = ScriptedEngine()
        try await EndpointFixture.run(engine) { fixture in
            try await fixture.deploy(try EndpointFixture.promptGraph(0, prefix: "r0 "))
            let isOver = Flag()
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        var answered = 0
                        while answered == 0 || !isOver.isRaised {
                            let (stamp, text, reason) = try await fixture.ask("c\(caller) q\(answered) ü")
                            let number = try #require(
                                (0...replacements).first { EndpointFixture.revision($0) == stamp.revision }
                            )
                            #expect(text == "r\(number) c\(caller) q\(answered) ü")
                            #expect(reason == .stop)
                            answered += 1
                        }
                        return answered
                    }
                }
                for number in 1...replacements {
                    try await fixture.bring(try EndpointFixture.promptGraph(number, prefix: "r\(number) "))
                    await fixture.server.drain(self.key(number - 1), timeout: .seconds(30))
                    await fixture.server.stop(self.key(number - 1))
                }
                isOver.raise()
                return try await group.reduce(0, +)
            }
            #expect(answers >= callers)
            let subjects = fixture.server.metrics.subjects.values
            #expect(subjects.allSatisfy { Set($0.requests.keys).isSubset(of: ["ok"]) })
            #expect(subjects.reduce(0) { $0 + ($1.requests["ok"] ?? 0) } == answers)
            #expect(Array(await fixture.server.observe().runners.keys) == [self.key(replacements)])
        }
        // Prompts changed, weights did not: nothing was loaded again.
        #expect(engine.control.log.modelsOpened == 1)
    }

    @Test("A drained runner that is started again answers, at once where nothing has to be warmed up")
    func startedAgain() async throws {
        try await EndpointFixture.run(ScriptedEngine()) { fixture in
            let graph = try EndpointFixture.promptGraph(0, prefix: "r0 ")
            try await fixture.deploy(graph)
            await fixture.server.drain(self.key(0), timeout: .seconds(30))
            #expect(await fixture.server.observe().runners[self.key(0)]?.state == .drained)
            try await fixture.server.start(graph, replicas: 1)
            #expect(await fixture.server.observe().runners[self.key(0)]?.state == .ready)
            #expect(try await fixture.ask("again").1 == "r0 again")
        }
    }

    @Test("new warm-up requests must succeed on weights that are warm already; other changes do not repeat them")
    func changedWarmUp() async throws {
        let engine = ScriptedEngine()
        try await EndpointFixture.run(engine) { fixture in
            try await fixture.deploy(try EndpointFixture.promptGraph(0))
            try await fixture.bring(try EndpointFixture.promptGraph(1, prefix: "new "))
            #expect(engine.control.log.tokensSampled == 0)

            var changed = try EndpointFixture.promptGraph(2)
            changed.models[0].instance.warmUp = [ModelSpec.WarmUp(prompt: "hello", maxTokens: 3)]
            try await fixture.bring(changed)
            #expect(engine.control.log.tokensSampled == 3)

            var broken = try EndpointFixture.promptGraph(3)
            broken.models[0].instance.warmUp = [
                ModelSpec.WarmUp(prompt: String(repeating: "x", count: 9_999), maxTokens: 1)
            ]
            try await fixture.server.start(broken, replicas: 1)
            let error = await #expect(throws: MartletError.self) { try await fixture.server.warmUp(self.key(3)) }
            #expect(error?.code == "WarmUpFailed")
            #expect(try await fixture.ask("hi").stamp.revision == EndpointFixture.revision(2))
        }
        #expect(engine.control.log.modelsOpened == 1)
    }

    @Test("an answer finishes on the replica it began on, and waiting requests move to the new revision")
    func handOver() async throws {
        try await EndpointFixture.run({ _, _ in .waits }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.promptGraph(0, prefix: "old "))
            // As many as the one replica takes, and one more.
            let seats = model.description.slots
            try await withThrowingTaskGroup(of: (Revision, String).self) { group in
                for number in 0...seats {
                    group.addTask {
                        let (stamp, text, _) = try await fixture.ask("q\(number)")
                        return (stamp.revision, text)
                    }
                }
                var old: [ScriptedCompletion.Call] = []
                for _ in 0..<seats { old.append(await model.nextCall()) }
                await fixture.clock.waitForSleep(of: .seconds(30))

                try await fixture.bring(try EndpointFixture.promptGraph(1, prefix: "new "))
                group.addTask {
                    await fixture.server.drain(self.key(0), timeout: .seconds(30))
                    return (EndpointFixture.revision(0), "drained")
                }
                let moved = await model.nextCall()
                #expect(moved.request.lastMessage.hasPrefix("new q"))
                for call in old + [moved] {
                    call.say(call.request.lastMessage)
                    call.finish()
                }
                var answers: [String: Revision] = [:]
                for try await (revision, text) in group { answers[text] = revision }
                #expect(answers.removeValue(forKey: "drained") != nil)
                #expect(answers.count == seats + 1)
                for (text, revision) in answers {
                    #expect(revision == EndpointFixture.revision(text.hasPrefix("old ") ? 0 : 1))
                }
            }
        }
    }

    @Test("the drain time-out ends what is left with an error behind its words")
    func drainTimeout() async throws {
        try await EndpointFixture.run({ _, _ in .waits }) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph(0))
            let request = TextRequest(prompt: .text("hi"))
            async let asked = fixture.server.text(fixture.call(request))
            let call = await model.nextCall()
            call.say("half")
            let answer = try await asked
            try await fixture.bring(try EndpointFixture.modelGraph(1))
            async let drained: Void = fixture.server.drain(self.key(0), timeout: .seconds(10))
            await fixture.clock.waitForSleep(of: .seconds(10))
            fixture.clock.advance(by: .seconds(10))
            await drained
            var text = ""
            let error = await #expect(throws: CallError.self) {
                for try await event in answer.events {
                    if case .text(let piece, _) = event { text += piece }
                }
            }
            #expect(text == "half")
            #expect(error?.code == .interrupted)
            await call.waitUntilAbandoned()
            await fixture.server.stop(self.key(0))
            #expect(Array(await fixture.server.observe().runners.keys) == [self.key(1)])
        }
    }

    @Test("a drained endpoint with nowhere to go answers unavailable, and does not spin")
    func nowhereToGo() async throws {
        try await EndpointFixture.run({ _, _ in .says(["x"]) }) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph(0))
            await fixture.server.drain(self.key(0), timeout: .seconds(1))
            let error = await #expect(throws: CallError.self) { try await fixture.ask("hi") }
            #expect(error?.code == .unavailable)
            #expect(error?.retryAfter == 1)
            // Started again, it serves again.
            try await fixture.bring(try EndpointFixture.modelGraph(0))
            #expect(try await fixture.ask("hi").text == "x")
        }
    }

    @Test("a full queue refuses the next request")
    func queueLimit() async throws {
        try await EndpointFixture.run({ _, _ in .waits }) { fixture, model in
            try await fixture.deploy(
                try EndpointFixture.modelGraph(0),
                settings: ["queue": ["limit": 0, "timeout": "30s"]]
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<model.description.slots { group.addTask { _ = try await fixture.ask("hi") } }
                var calls: [ScriptedCompletion.Call] = []
                for _ in 0..<model.description.slots { calls.append(await model.nextCall()) }
                let error = await #expect(throws: CallError.self) { try await fixture.ask("one more") }
                #expect(error?.code == .queueFull)
                for call in calls { call.finish() }
                try await group.waitForAll()
            }
        }
    }

    @Test("steps of the runtime done twice equal once")
    func idempotence() async throws {
        try await EndpointFixture.run({ _, _ in .says(["x"]) }) { fixture, _ in
            let graph = try EndpointFixture.modelGraph(0)
            for _ in 0..<2 { try await fixture.deploy(graph, replicas: 2) }
            let once = await fixture.server.observe()
            #expect(once.runners == [self.key(0): RunnerObservation(state: .ready, replicas: 2)])
            #expect(once.traffic == [EndpointFixture.variant: [TrafficShare(revision: graph.revision, weight: 100)]])
            try await fixture.server.scale(self.key(0), replicas: 1)
            try await fixture.server.scale(self.key(0), replicas: 1)
            #expect(await fixture.server.observe().runners[self.key(0)]?.replicas == 1)
            for _ in 0..<2 { await fixture.server.stop(self.key(0)) }
            #expect(await fixture.server.observe().runners == [:])
            for _ in 0..<2 { await fixture.server.unload(EndpointFixture.instance.key) }
            #expect(await fixture.server.observe().instances == [:])
            await #expect(throws: MartletError.self) { try await fixture.server.start(graph, replicas: 1) }
        }
    }
}
