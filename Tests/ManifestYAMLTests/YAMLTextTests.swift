internal import ManifestYAML
internal import Schema
internal import Testing

/// What text editors and YAML's older rules do to a manifest.
@Suite struct YAMLTextTests {
    private static let manifest = """
        apiVersion: martlet.dev/v1
        kind: Model
        metadata: {name: a}
        spec:
          engine: llama
          source: {uri: a.gguf}
          colour: blue

        """

    @Test(arguments: ["\n", "\r\n", "\r"])
    func lineEndsCountOnce(lineEnd: String) {
        let text = String(Self.manifest.map { $0 == "\n" ? Character(lineEnd) : $0 })
        #expect(Fixture.read(text).report == ["7:3: error: unknown field 'colour' in Model.spec"])
    }

    @Test func aByteOrderMarkTakesNoColumn() {
        let text = "\u{FEFF}colour: blue\n" + Self.manifest.split(separator: "\n").dropLast().joined(separator: "\n")
        #expect(Fixture.read(text).report == ["1:1: error: unknown field 'colour' in Model"])
    }

    @Test(arguments: ["\u{85}", "\u{2028}", "\u{2029}"])
    func lineBreaksOfOldYAMLAreNone(character: String) {
        let text = Self.manifest.replacing("  engine", with: "  version: \"a\(character)b\"\n  engine")
        #expect(Fixture.read(text).report == ["8:3: error: unknown field 'colour' in Model.spec"])
    }

    @Test func columnsCountCharactersNotBytes() {
        let text = Self.manifest.replacing("  colour: blue", with: "  card: {owner: \"日本é🐦\", colour: x}")
        #expect(Fixture.read(text).report == ["7:25: error: unknown field 'colour' in Model.spec.card"])
    }

    @Test(
        arguments: [
            ("no", .text), ("on", .text), ("yes", .text), ("y", .text), ("2001-12-14", .text), ("1_000", .text),
            ("12:30:45", .text), ("0b11", .text), ("=", .text), ("true", .bool(true)), ("FALSE", .bool(false)),
            ("tRue", .text), ("~", .null), ("", .null), ("Null", .null), ("nULL", .text), ("0", .integer(0)),
            ("012", .integer(12)), ("-7", .integer(-7)), ("+7", .integer(7)), ("--7", .text), ("0o14", .integer(12)),
            ("0xFf", .integer(255)), ("0x", .text), ("0o8", .text), ("-0x1", .text), ("0x-1", .text),
            ("1.", .number(1)),
            (".5", .number(0.5)), ("-.5e3", .number(-500)), ("1e3", .number(1000)), ("1e", .text), (".", .text),
            ("1e400", .notFinite), (".inf", .notFinite), ("-.INF", .notFinite), (".nan", .notFinite), ("-.nan", .text),
            ("inf", .text), ("nan", .text), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1 2", .text),
        ] as [(String, YAMLScalar.Core)]
    )
    func onlyTheCoreSchemaHasMeaning(text: String, core: YAMLScalar.Core) {
        #expect(YAMLScalar(text: text, isPlain: true).core == core)
        #expect(YAMLScalar(text: text, isPlain: false).core == .text)
    }

    @Test(arguments: ["no", "on", "012", "0o14", "1.0", "2001-12-14", ".inf", "true", "1e3"])
    func aTextFieldTakesEveryScalarAsItIsWritten(text: String) throws {
        let file = Fixture.read(Self.manifest.replacing("colour: blue", with: "version: \(text)"))
        #expect(file.report.isEmpty)
        guard case .model(let model)? = file.resources.first?.spec else { throw NoModel() }
        #expect(model.version == text)
    }

    private struct NoModel: Error {}

    @Test func mergeKeysFillInWhatIsNotThere() throws {
        let text = Self.manifest.replacing(
            "colour: blue",
            with: """
                options:
                    base: &base {a: 1, b: 2}
                    other: &other {b: 3, c: 4}
                    <<: [*base, *other]
                    a: 0
                """
        )
        let file = Fixture.read(text)
        #expect(file.report.isEmpty)
        let options = try #require(file.resources.first?.canonicalSpec["options"])
        #expect(options["a"] == 0)
        #expect(options["b"] == 2)
        #expect(options["c"] == 4)
        #expect(options["<<"] == nil)
    }

    @Test func quotedMergeKeysAreKeys() throws {
        let file = Fixture.read(Self.manifest.replacing("colour: blue", with: "options: {\"<<\": {a: 1}}"))
        #expect(file.resources.first?.canonicalSpec["options"] == ["<<": ["a": 1]])
    }

    @Test func documentsEndWhereTheirMarkersStand() {
        let text = """
            %YAML 1.2
            ---
            # only a comment
            ...
            # of the next
            ---
            apiVersion: martlet.dev/v1
            kind: Dataset
            metadata: {name: a}
            spec: {source: {uri: a.csv}}
            ...
            apiVersion: martlet.dev/v1
            kind: Dataset
            metadata: {name: b}
            spec: {source: {uri: "a
              ---not a marker.csv"}}
            --- {apiVersion: v1, kind: Secret}
            ---

            """
        let file = Fixture.read(text)
        #expect(file.report.isEmpty)
        #expect(file.resources.map(\.identity.name) == ["a", "b"])
        #expect(file.resources.map(\.location.line) == [7, 12])
        #expect(file.skippedForeignDocuments == 1)
    }

    @Test(arguments: [
        "just a text\n", "- a\n- list\n", "key: value\n", "apiVersion: v1\nkind: Service\n", "apiVersion: v1\n",
        "services: {web: !custom {image: x}}\n", "kind: Deployment\nmetadata: {name: x}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: [}\n",
    ])
    func documentsOfOthersAreSkippedAndCounted(text: String) {
        let file = Fixture.read(text)
        #expect(file.report.isEmpty)
        #expect(file.skippedForeignDocuments == 1)
        #expect(!file.unreadable)
    }

    @Test func nothingIsNothing() {
        for text in ["", "\n", "# a comment\n", "---\n", "---\n---\n...\n", "\u{FEFF}"] {
            let file = Fixture.read(text)
            #expect(file.report.isEmpty)
            #expect(file.skippedForeignDocuments == 0)
        }
    }

    @Test func brokenDocumentsAreToldApartWherePossible() {
        let text = """
            apiVersion: martlet.dev/v1
            kind: Dataset
            metadata: {name: wrong}
            spec: {}
            ---
            apiVersion: martlet.dev/v1
            kind: Dataset
            metadata: {name: cut, namespace: shop}
            spec: {source: {uri: [
            ---
            apiVersion: martlet.dev/v1
            kind: Dataset
            metadata: {name: later}
            spec: {source: {uri: a.csv}}

            """
        let file = Fixture.read(text)
        let wrong = ResourceIdentity(.dataset, namespace: "default", name: "wrong")
        let cut = ResourceIdentity(.dataset, namespace: "shop", name: "cut")
        #expect(file.brokenIdentities == [wrong, cut])
        #expect(file.diagnostics.map(\.resource) == [wrong, cut])
        #expect(!file.unreadable)
        #expect(file.resources.map(\.identity.name) == ["later"])
        #expect(Fixture.read("apiVersion: martlet.dev/v1\nkind: Dataset\nspec: [").unreadable)
        // Nobody knows whose it is: it may have been ours.
        let swallowed = Fixture.read("apiVersion: [\nkind: Endpoint\nmetadata: {name: a}\n")
        #expect(swallowed.unreadable && !swallowed.diagnostics.isEmpty)
    }
}
