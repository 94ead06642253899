import Planning
import Schema
import Testing

/// A model that a server elsewhere answers for, from its manifest to its plan.
struct UpstreamPlanningTests {
    static let single: JSONValue = [
        "engine": "openai",
        "upstream": ["url": "https://example.org/v1/", "apiKey": ["fromEnv": "KEY"], "timeout": "5s"],
    ]

    static let several: JSONValue = [
        "engine": "openai", "balance": "weight",
        "upstreams": [["url": "https://a.org/v1", "model": "big", "weight": 3], ["url": "https://b.org/v1"]],
    ]

    private func state(_ model: JSONValue) throws -> DesiredState {
        var repository = Repository()
        try repository.add(.model, "helper", model)
        try repository.add(.endpoint, "desk", ["serve": ["model": "helper"], "access": ["anonymous": true]])
        return repository.build()
    }

    private func instance(_ model: JSONValue) throws -> InstanceSpec {
        let state = try self.state(model)
        #expect(state.blocked.isEmpty)
        return try #require(state.variants.values.first?.models.first?.instance)
    }

    @Test func readsWhatTheManifestSays() throws {
        let single = try self.instance(Self.single)
        let key = SecretReference(fromEnv: "KEY")
        let member = UpstreamSet.Member(
            url: "https://example.org/v1",
            model: "helper",
            apiKey: key,
            timeout: .seconds(5)
        )
        #expect(single.upstreams == UpstreamSet(members: [member]))
        #expect(single.artifacts.isEmpty)
        let several = try self.instance(Self.several)
        #expect(several.upstreams?.balance == .weight)
        #expect(several.upstreams?.members.map(\.model) == ["big", "helper"])
        #expect(several.upstreams?.members.map(\.weight) == [3, 1])
    }

    static let changes: [@Sendable (inout [String: JSONValue]) -> Void] = [
        { $0["url"] = "https://example.com/v1" },
        { $0["model"] = "other" },
        { $0["apiKey"] = ["fromEnv": "OTHER"] },
        { $0["apiKey"] = ["fromFile": "KEY"] },
        { $0["timeout"] = "6s" },
        { $0["firstByteTimeout"] = "2s" },
        { $0["retries"] = 0 },
    ]

    @Test("Whatever is changed of an upstream makes another instance", arguments: changes.indices)
    func tellsInstancesApart(_ index: Int) throws {
        var upstream = Self.single["upstream"]?.object ?? [:]
        Self.changes[index](&upstream)
        let changed = try self.instance(["engine": "openai", "upstream": .object(upstream)])
        #expect(changed.key != (try self.instance(Self.single)).key)
    }

    @Test func plansNoProbeAndNoMemory() throws {
        let desired = try self.state(Self.several)
        var observed = ObservedState(engines: ["openai"])
        observed.memoryBudget = 1
        let plan = Planner.plan(desired: desired, observed: observed, now: Timestamp(milliseconds: 0))
        let words = plan.steps.map { $0.action.word }
        #expect(words.contains("load"))
        #expect(!words.contains("probe"))
        #expect(plan.waits.isEmpty)
        #expect(!plan.steps.contains { $0.reason.contains("probe") })
    }
}
