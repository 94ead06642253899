internal import Schema
internal import Testing

@testable internal import ManifestYAML

/// The examples of RFC 7386, appendix A, and where merged values stand.
@Suite struct MergePatchTests {
    static let examples = [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
        (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
        (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
        (#"{"a":"foo"}"#, "null", "null"),
        (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
        (#"{"e":null}"#, #"{"a":1}"#, #"{"a":1,"e":null}"#),
        ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
        ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ]

    private func node(_ text: String) -> YAMLNode? {
        Array(text.utf8).withUnsafeBufferPointer { YAMLComposer.compose($0, firstLine: 1, limits: YAMLLimits()).root }
    }

    private func value(_ node: YAMLNode) -> JSONValue? {
        var reader = ShapeReader(path: "a.yaml", limit: 10)
        return reader.read(node, as: .any)
    }

    @Test(arguments: Self.examples.indices)
    func mergesAsTheStandardSays(index: Int) throws {
        let (target, patch, result) = Self.examples[index]
        let merged = try #require(self.node(target)).merging(try #require(self.node(patch)))
        #expect(self.value(merged)?.canonicalJSON == result)
    }

    @Test func aSecondKeyOfOneNameGoesWithTheFirst() throws {
        let target = try #require(self.node("{a: 1, a: 2, b: 3}"))
        let merged = target.merging(try #require(self.node("{a: null}")))
        #expect(self.value(merged)?.canonicalJSON == #"{"b":3}"#)
    }

    @Test func everyValueKeepsItsPlace() throws {
        let target = try #require(self.node("a: {b: 1}\nc: 2\n"))
        let patch = try #require(self.node("\n\na: {d: 3}\n"))
        let merged = target.merging(patch)
        #expect(merged["a"]?["b"]?.mark == YAMLMark(line: 1, column: 8))
        #expect(merged["a"]?["d"]?.mark == YAMLMark(line: 3, column: 8))
        #expect(merged["c"]?.mark == YAMLMark(line: 2, column: 4))
    }
}
