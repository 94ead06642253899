internal import Planning
internal import Schema
internal import Testing

@testable import ManifestYAML

/// Parts of manifests that are equal are in memory once.
@Suite struct SharedValuesTests {
    private let repository = MemoryRepository()

    /// Where the elements of an array lie in memory.
    private static func place(_ value: JSONValue?) -> UnsafePointer<JSONValue>? {
        value?.array?.withUnsafeBufferPointer { $0.baseAddress }
    }

    private static func spec(_ names: [JSONValue], _ size: Int64) -> JSONValue {
        ["names": .array(names.map { $0 }), "size": .integer(size)]
    }

    @Test func equalPartsAreKeptOnceAndNothingReadsOtherwise() {
        let (one, two, three) = (Self.spec(["a", "b"], 1), Self.spec(["a", "b"], 2), Self.spec(["c"], 1))
        #expect(Self.place(one["names"]) != Self.place(two["names"]))
        let shared = SharedValues()
        let kept = [one, two, three].map { shared.sharing($0) }
        #expect(kept == [one, two, three])
        #expect(Self.place(kept[0]["names"]) == Self.place(kept[1]["names"]))
        #expect(Self.place(kept[0]["names"]) != Self.place(kept[2]["names"]))
        #expect(shared.sharing("a text") == "a text")
    }

    /// Swift counts them as equal, but each file's text is what its digest is made of.
    @Test func textsThatAreSpeltOtherwiseAreNotShared() {
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        #expect(composed == decomposed)
        let shared = SharedValues()
        for text in [composed, decomposed] {
            let values: [JSONValue] = [
                ["names": [.string(text)]], ["names": .object([text: 1])], ["names": [["deep": .string(text)]]],
            ]
            for value in values {
                #expect(Array(shared.sharing(value).canonicalJSON.utf8) == Array(value.canonicalJSON.utf8))
            }
            for labels in [[text: "a"], ["a": text]] {
                let kept = shared.sharing(labels)
                #expect(kept.keys.map { Array($0.utf8) } == labels.keys.map { Array($0.utf8) })
                #expect(kept.values.map { Array($0.utf8) } == labels.values.map { Array($0.utf8) })
            }
        }
    }

    /// Whoever reads a commit shares what its files say, across files and documents.
    @Test func readOfACommitShares() throws {
        let rules: (String) -> String = { name in
            ManifestIndexTests.model(
                name,
                "engine: llama, source: {uri: a.gguf}, adapters: [{name: x, source: {uri: x}}]"
            )
        }
        self.repository.commit("1", texts: ["a.yaml": rules("a") + "---\n" + rules("b"), "c.yaml": rules("c")])
        let index = try CommitReader(repository: self.repository).read("1").index
        let specs = index.resources.values.map { $0.canonicalSpec["adapters"] }
        #expect(specs.count == 3 && specs.allSatisfy { $0?.array?.count == 1 })
        #expect(Set(specs.map(Self.place)).count == 1)
    }
}
