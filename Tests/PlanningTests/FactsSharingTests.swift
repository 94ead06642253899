import Foundation
import Planning
import Schema
import Testing

/// Facts and the desired state hold equal parts once.
@Suite("Facts that share parts with the desired state")
struct FactsSharingTests {
    /// Equal to a value, and somewhere else in memory.
    private static func twin<Value: Codable>(of value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }

    private static func place<Element>(of elements: [Element]) -> UnsafePointer<Element>? {
        elements.withUnsafeBufferPointer { $0.baseAddress }
    }

    @Test("What is equal is kept where the desired state has it, and what is not stays; nothing reads otherwise")
    func shares() throws {
        let desired = try Repository.desk().build()
        let (variant, graph) = try #require(desired.variants.first)
        let settings = try #require(desired.settings.first?.value)
        var other = try Self.twin(of: graph)
        other.chains[0].digest = Digest(of: "another chain".utf8)
        var facts = Facts()
        facts.variants[variant] = VariantFacts(
            promoted: graph.revision,
            graphs: [other],
            settings: try Self.twin(of: settings)
        )
        let before = facts
        #expect(facts.variants[variant]?.settings !== settings)
        #expect(Self.place(of: other.models) != Self.place(of: graph.models))

        facts.share(desired)
        let kept = try #require(facts.variants[variant])
        #expect(kept.settings === settings)
        #expect(Self.place(of: kept.graphs[0].models) == Self.place(of: graph.models))
        #expect(Self.place(of: kept.graphs[0].templates) == Self.place(of: graph.templates))
        #expect(Self.place(of: kept.graphs[0].chains) == Self.place(of: other.chains))
        #expect(facts == before)
    }

    @Test("Graphs of other revisions and settings that differ are left alone")
    func leavesTheRest() throws {
        let desired = try Repository.desk().build()
        let (variant, graph) = try #require(desired.variants.first)
        var repository = try Repository.desk()
        try repository.change(.endpoint, "desk") { $0["replicas"] = ["max": 3] }
        let changed = try #require(repository.build().settings.first?.value)
        var old = try Self.twin(of: graph)
        old.revision = Revision(Digest(of: "another".utf8))
        var facts = Facts()
        facts.variants[variant] = VariantFacts(graphs: [old], settings: changed)
        facts.share(desired)
        #expect(facts.variants[variant]?.settings === changed)
        #expect(Self.place(of: facts.variants[variant]?.graphs[0].models ?? []) == Self.place(of: old.models))
    }
}
