internal import Foundation
internal import Schema
internal import Testing

@Suite struct MarkdownReferenceTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Documentation/reference/manifests")

    /// `MARTLET_WRITE_SCHEMAS=1 swift test --filter MarkdownReferenceTests` writes the generated parts anew.
    @Test(arguments: Kind.allCases)
    func pagesSayWhatTheDeclarationsSay(kind: Kind) throws {
        try Self.check(kind.page, title: kind.rawValue, MarkdownReference().fields(of: kind))
    }

    @Test func indexSaysWhatTheDeclarationsSay() throws {
        try Self.check("README.md", title: "Manifests", MarkdownReference().index())
    }

    @Test func thePageOfSourcesSaysWhatTheDeclarationSays() throws {
        try Self.check("sources.md", title: "Sources", MarkdownReference().fieldsOfSources())
    }

    @Test func everyFieldOfASpecHasARow() throws {
        for kind in Kind.allCases {
            guard case .object(let spec) = kind.shape else {
                Issue.record("the spec of \(kind) is no mapping")
                continue
            }
            let text = MarkdownReference().fields(of: kind)
            for field in spec.fields { #expect(text.contains("\n| `\(field.name)` |"), "\(kind).\(field.name)") }
        }
    }

    @Test(arguments: [
        (Kind.model, "| `adapters[].name` | label | required | What prompts call it. |"),
        (Kind.promptTemplate, "| `variables.*.type` | `string`, `integer`"),
        (Kind.promptTemplate, "| `examples[].input` | any | required | What is asked. |"),
        (Kind.chain, "| `when` | [condition](#condition) |  | The step is left out unless this holds. |"),
        (Kind.chain, "\n## Condition\n"),
        (Kind.endpoint, "| `serve.chain` | name of a [Chain](chain.md) |"),
        (Kind.endpoint, "- Exactly one of `serve.chain`, `serve.model`."),
        (Kind.endpoint, "| `replicas.min` | integer, 0 to 1024 | `1` |"),
        (Kind.receiver, "| `slack.url` | secret | required |"),
    ])
    func tablesShowNestedFields(kind: Kind, line: String) {
        #expect(MarkdownReference().fields(of: kind).contains(line))
    }

    @Test func wordsAboveTheMarkerStay() {
        let reference = MarkdownReference()
        let page = reference.page(
            "# T\n\nBy hand.\n\n\(MarkdownReference.marker)\nold\n",
            title: "T",
            generated: "\(MarkdownReference.marker)\nnew\n"
        )
        #expect(page == "# T\n\nBy hand.\n\n\(MarkdownReference.marker)\nnew\n")
        #expect(reference.page(nil, title: "T", generated: "new\n") == "# T\n\nnew\n")
    }

    private static func check(_ name: String, title: String, _ generated: String) throws {
        let file = Self.folder.appendingPathComponent(name)
        let existing = try? String(decoding: Data(contentsOf: file), as: UTF8.self)
        let page = MarkdownReference().page(existing, title: title, generated: generated)
        if ProcessInfo.processInfo.environment["MARTLET_WRITE_SCHEMAS"] == "1" {
            try Data(page.utf8).write(to: file)
        } else {
            #expect(existing == page, "run scripts/generate-schemas")
        }
    }
}
