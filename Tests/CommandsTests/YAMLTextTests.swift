import ManifestYAML
import Schema
import TestSupport
import Testing

@testable import Commands

/// YAML that is printed reads back as the value it was made of.
struct YAMLTextTests {
    private static let samples = [
        "", " ", "a", "desk", "/models/a.gguf", "true", "No", "null", "~", "012", "1e3", "-", "- a", "a: b", "a #b",
        "#a",
        "a:", "@x", "two\nlines", "two\nlines\n", "ends\n\n", "\nbegins", "  indented\nlines", "tab\there",
        "tab\n\there",
        "\"quoted\"", "back\\slash", "it's", "{{message}}", "[x]", "\u{1B}[31m", "\u{85}", "\u{2028}", "\u{FEFF}x",
        "\u{7F}", "ü", "日本語\n日本", "😀", "a\r\nb", "trailing \nspace ", "---", "...\n", "%x", "*a", "&a", "!t",
        "a\n b\nc",
        "=", "<<", "y",
    ]

    /// Reads a value back as a model's options, where a manifest may say anything.
    private static func read(_ options: JSONValue) throws -> JSONValue? {
        let text = YAMLText.render([
            "apiVersion": "martlet.dev/v1", "kind": "Model", "metadata": ["name": "m"],
            "spec": ["engine": "replay", "source": ["uri": "a.jsonl"], "options": options],
        ])
        let file = ManifestReader().read(Array(text.utf8), path: "m.yaml")
        try #require(file.diagnostics.isEmpty, "\(file.diagnostics) in:\n\(text)")
        guard case .model(let spec)? = file.resources.first?.spec else { return nil }
        return .object(spec.options)
    }

    @Test("A string stays the string it is", arguments: samples)
    func strings(text: String) throws {
        let value: JSONValue = ["value": .string(text), "list": [.string(text), [.string(text)]]]
        #expect(try YAMLTextTests.read(value) == value)
    }

    @Test("A key stays the key it is", arguments: samples)
    func keys(text: String) throws {
        let value: JSONValue = .object([text: 1, "z": .object([text: [true]])])
        #expect(try YAMLTextTests.read(value) == value)
    }

    @Test("Any value stays the value it is", arguments: 0..<200 as Range<UInt64>)
    func values(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let value: JSONValue = .object(["value": YAMLTextTests.value(depth: 4, &random)])
        #expect(try YAMLTextTests.read(value) == value)
    }

    @Test("The layout is kubectl's: keys sorted, lists at their key's column, texts of lines as blocks")
    func layout() {
        let value: JSONValue = [
            "name": "desk", "list": [["b": 1, "a": [1, 2]], [], ["x"]], "empty": [:], "prompt": "one\ntwo\n",
            "on": "on",
        ]
        let expected = """
            empty: {}
            list:
            - a:
              - 1
              - 2
              b: 1
            - []
            - - x
            name: desk
            "on": "on"
            prompt: |
              one
              two

            """
        #expect(YAMLText.render(value) == expected)
    }

    private static func value(depth: Int, _ random: inout SeededRandom) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 8), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64.random(in: -5000...5000, using: &random))
        case 3: return .number(Double(Int.random(in: -999...999, using: &random)) + 0.125)
        case 4: return .string(self.samples.randomElement(using: &random) ?? "")
        case 5:
            let count = Int.random(in: 0...3, using: &random)
            return .array((0..<count).map { _ in self.value(depth: depth - 1, &random) })
        default:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                members[self.samples.randomElement(using: &random) ?? ""] = self.value(depth: depth - 1, &random)
            }
            return .object(members)
        }
    }
}
