import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// Every request leaves a record, and its answer waits for that.
struct RequestRecordTests {
    private static let failure = MartletError("EngineHung", "the model hangs")

    private func request(_ change: (inout TextRequest) -> Void = { _ in }) -> TextRequest {
        var request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "hi")]))
        change(&request)
        return request
    }

    @Test("an answer of a bare model: where it went, what was asked and said, and the model as the one step")
    func bareModel() async throws {
        let records = MemoryRecordStore()
        try await EndpointFixture.run({ _, _ in .says(["Hel", "lo"], .length) }, records: records) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph(3))
            let request = self.request { ($0.temperature, $0.seed) = (0.5, 7) }
            try await _ = fixture.server.text(fixture.call(request)) { _ in }
            let record = try #require(records.records.first)
            #expect(records.records.count == 1)
            #expect((record.id, record.operation, record.status) == ("r", .chat, "ok"))
            #expect((record.variant, record.tenant) == (EndpointFixture.variant, nil))
            #expect((record.revision, record.commit) == (EndpointFixture.revision(3), "c1"))
            #expect(record.startedAt == fixture.wallClock.now())
            #expect(record.usage == ScriptedCompletion.usage)
            #expect(record.input == ["messages": [["role": "user", "content": "hi"]]])
            #expect(record.parameters == ["temperature": 0.5, "seed": 7])
            #expect(record.output == ["text": "Hello", "finish_reason": "length"])
            let step = try #require(record.steps.first)
            #expect((step.name, step.type, step.status, record.steps.count) == ("m", "model", .ok, 1))
            #expect(step.model == StepRecord.Named(resource: "\(Specs.model)", digest: Digest(of: [2]).hex))
        }
    }

    @Test("every other operation, by its own input and output")
    func operations() async throws {
        let records = MemoryRecordStore()
        try await EndpointFixture.run({ _, _ in .says(["yes"]) }, records: records) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph(1))
            _ = try await fixture.server.embeddings(fixture.call(["a", "bcd"]))
            let plain = TextRequest(prompt: .text("once"))
            try await _ = fixture.server.text(fixture.call(plain)) { _ in }
            try await fixture.deploy(try EndpointFixture.promptGraph(2))
            try await _ = fixture.server.chain(fixture.call(["message": "hello"])) { _ in }
        }
        let found = records.records
        #expect(found.map(\.operation) == [.embeddings, .completion, .chain])
        #expect(found.map(\.input) == [["a", "bcd"], ["prompt": "once"], ["message": "hello"]])
        let vectors: JSONValue = [
            "name": "embeddings", "datatype": "FP32", "shape": [2, 2], "data": [1.0, 0.0, 3.0, 0.0],
        ]
        #expect(found.map(\.output) == [vectors, ["text": "yes", "finish_reason": "stop"], "yes"])
        #expect(found.map(\.revision) == [1, 1, 2].map(EndpointFixture.revision))
    }

    @Test("what was refused, what failed and whose caller left have their records too, with what came so far")
    func others() async throws {
        let records = MemoryRecordStore()
        let script = { @Sendable (request: CompletionRequest, _: Int) -> ScriptedCompletion.Reply in
            request.lastMessage == "fail" ? .fails(Self.failure) : .waits
        }
        try await EndpointFixture.run(script, records: records) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            await #expect(throws: CallError.self) { try await fixture.server.chain(fixture.call(["message": "x"])) }
            await #expect(throws: CallError.self) { try await fixture.ask("fail") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let answer = try await fixture.server.text(fixture.call(self.request()))
                    for try await event in answer.events {
                        if case .text = event { break }
                    }
                }
                let call = await model.nextCall()
                call.say("half")
                await call.waitUntilAbandoned()
                try await group.waitForAll()
            }
            let elsewhere = EndpointName(namespace: "default", name: "other")
            await #expect(throws: CallError.self) {
                try await fixture.server.chain(fixture.call(["message": "x"], endpoint: elsewhere))
            }
        }
        #expect(records.records.map(\.status) == ["invalidInput", "unavailable", "cancelled"])
        #expect(records.records.map { $0.errorMessage != nil } == [true, true, false])
        #expect(records.records.map(\.input).first == ["message": "x"])
        #expect(records.records.last?.output == ["text": "half"])
        #expect(records.records.map(\.steps.count) == [0, 1, 1])
        #expect(records.records.last?.steps.first?.status == .cancelled)
    }

    @Test("a caller gets the last event only once the record is written", arguments: ["batched", "sync"])
    func waiting(durability: String) async throws {
        let records = MemoryRecordStore()
        try await EndpointFixture.run({ _, _ in .says(["a"]) }, records: records) { fixture, _ in
            try await fixture.deploy(
                try EndpointFixture.modelGraph(),
                settings: ["log": Self.log(["durability": .string(durability)])]
            )
            records.fill()
            let answer = try await fixture.server.text(fixture.call(self.request()))
            var events = answer.events.makeAsyncIterator()
            #expect(try await events.next() == .text("a", logProbabilities: []))
            async let last = events.next()
            await records.untilSomebodyWaits()
            #expect(records.records.isEmpty)
            records.makeRoom()
            #expect(try await last == .finished(.stop, ScriptedCompletion.usage))
            #expect(records.records.count == 1)
        }
    }

    @Test("an answer whose record cannot be written is none, and what had failed fails as it did")
    func unwritten() async throws {
        let records = MemoryRecordStore()
        let script = { @Sendable (request: CompletionRequest, _: Int) -> ScriptedCompletion.Reply in
            request.lastMessage == "fail" ? .fails(Self.failure) : .says(["a"])
        }
        try await EndpointFixture.run(script, records: records) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            records.fail(with: MartletError("RecordsUnavailable", "the disk is full"))
            for (message, words) in [("ok", "written down"), ("fail", "hangs")] {
                let error = await #expect(throws: CallError.self) { try await fixture.ask(message) }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains(words) == true)
            }
            records.fail(with: nil)
            #expect(try await fixture.ask("ok").text == "a")
        }
        #expect(records.records.map(\.status) == ["ok"])
    }

    @Test("a request whose time is up is recorded by whoever notices it, and its caller waits for the record")
    func timedOut() async throws {
        let records = MemoryRecordStore()
        try await EndpointFixture.run({ _, _ in .waits }, records: records) { fixture, model in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            records.fill()
            let answer = Task { try await fixture.ask("x") }
            _ = await model.nextCall()
            fixture.clock.advance(by: .seconds(3600))
            await records.untilSomebodyWaits()
            records.makeRoom()
            let error = await #expect(throws: CallError.self) { try await answer.value }
            #expect(error?.code == .timeout)
        }
        #expect(records.records.map(\.status) == ["timeout"])
    }

    @Test("payloads are kept as the endpoint's log says", arguments: ["all", "errors", "none"])
    func payloads(which: String) async throws {
        let records = MemoryRecordStore()
        let script = { @Sendable (request: CompletionRequest, _: Int) -> ScriptedCompletion.Reply in
            request.lastMessage == "fail" ? .fails(Self.failure) : .says(["a"])
        }
        try await EndpointFixture.run(script, records: records) { fixture, _ in
            let settings: JSONValue = ["log": Self.log(["payloads": .string(which)])]
            try await fixture.deploy(try EndpointFixture.modelGraph(), settings: settings)
            _ = try await fixture.ask("ok")
            _ = try? await fixture.ask("fail")
        }
        #expect(records.records.map { $0.input != nil } == [which == "all", which != "none"])
        #expect(records.records.map { $0.output != nil } == [which == "all", false])
        #expect(records.records.map(\.status) == ["ok", "unavailable"])
    }

    private static func log(_ changes: [String: JSONValue]) -> JSONValue {
        let defaults: [String: JSONValue] = [
            "payloads": "all", "sample": 1, "redact": [], "retention": "30d", "durability": "batched",
        ]
        return .object(defaults.merging(changes) { _, new in new })
    }
}
