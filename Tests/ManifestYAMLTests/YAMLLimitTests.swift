internal import ManifestYAML
internal import Schema
internal import Testing

/// Input that is meant to hurt: clear errors, and never more work than the limits allow.
@Suite struct YAMLLimitTests {
    private static let head = "apiVersion: martlet.dev/v1\nkind: Model\nmetadata: {name: a}\nspec:\n"
    private static let source = "  engine: llama\n  source: {uri: a.gguf}\n"

    @Test func billionLaughsAreCountedAndNotExpanded() {
        var text = Self.head + Self.source + "  options:\n    a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "    a\(level): &a\(level) [\(aliases)]\n"
        }
        let report = Fixture.read(text).report
        #expect(report == ["13:14: error: more than 10000 aliases and merge keys, those inside aliases counted"])
    }

    @Test func aFewAliasesOfMuchAreCountedToo() {
        let big = Array(repeating: "1", count: 20_000).joined(separator: ",")
        let text = Self.head + Self.source + "  options: {a: &a [\(big)], b: [*a, *a, *a, *a, *a]}\n"
        let report = Fixture.read(text).report
        #expect(report.count == 1)
        #expect(report.first?.hasSuffix("error: aliases and merge keys add more than 100000 values") == true)
    }

    @Test func mergesThatGrowAreCounted() {
        var text = Self.head + Self.source + "  options:\n    m0: &m0 {k0: 0}\n"
        for level in 1...2000 { text += "    m\(level): &m\(level) {<<: *m\(level - 1), k\(level): 0}\n" }
        let report = Fixture.read(text).report
        #expect(report.count == 1)
        #expect(report.first?.contains("aliases and merge keys") == true)
    }

    @Test(arguments: [(9_999, true), (10_000, true), (10_001, false)])
    func aliasesUpToTheLimitAreFine(count: Int, isFine: Bool) {
        let aliases = Array(repeating: "*a", count: count).joined(separator: ",")
        let text = Self.head + Self.source + "  options: {a: &a 1, b: [\(aliases)]}\n"
        #expect(Fixture.read(text).diagnostics.isEmpty == isFine)
    }

    @Test(arguments: [(61, true), (62, false), (5_000, false), (400_000, false)])
    func nestingHasALimit(depth: Int, isFine: Bool) {
        // The document, its spec and `options` are three levels themselves.
        let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let file = Fixture.read(Self.head + Self.source + "  options: {a: \(nested)}\n")
        #expect(file.diagnostics.isEmpty == isFine)
        if !isFine { #expect(file.report == ["7:77: error: nested deeper than 64 levels"]) }
    }

    @Test func nestingThroughAliasesHasTheSameLimit() {
        let half = String(repeating: "[", count: 40) + "x" + String(repeating: "]", count: 40)
        let outer = String(repeating: "[", count: 30) + "*a" + String(repeating: "]", count: 30)
        let report = Fixture.read(Self.head + Self.source + "  options: {a: &a \(half), b: \(outer)}\n").report
        #expect(report.count == 1)
        #expect(report.first?.hasSuffix("nested deeper than 64 levels") == true)
    }

    @Test func aFileHasALimit() {
        let full = Self.head + Self.source + "# "
        let padded = full + String(repeating: "x", count: (1 << 20) - full.utf8.count)
        #expect(Fixture.read(padded).diagnostics.isEmpty)
        let file = Fixture.read(padded + "x")
        #expect(file.report == ["1:1: error: the file has 1048577 bytes; a file of manifests has at most 1048576"])
        #expect(file.unreadable)
        #expect(file.resources.isEmpty)
    }

    @Test func tooManyProblemsAreCutShort() {
        let fields = (0..<5000).map { "  x\($0): 1\n" }.joined()
        let report = Fixture.read(Self.head + Self.source + fields).report
        #expect(report.count == 1001)
        #expect(report.last?.hasSuffix("more problems in this file") == true)
    }

    @Test func bytesThatAreNotUTF8AreNamed() {
        let first = Array("apiVersion: martlet.dev/v1\nkind: Dataset\nmetadata: {name: ok}\n".utf8)
        let spec = Array("spec: {source: {uri: a.csv}}\n---\n".utf8)
        let bad = Array("kind: Modé".utf8) + [0xFF, 0xFE] + Array("\n---\n".utf8)
        let file = ManifestReader().read(first + spec + bad + first + spec, path: "a.yaml")
        #expect(file.report == ["6:11: error: not UTF-8 from byte 106 of the file on"])
        #expect(file.resources.count == 2)
        #expect(file.unreadable)
    }

    @Test(
        arguments: [
            ([0x00], "not YAML: control characters are not allowed"),
            ([0x07], "not YAML: control characters are not allowed"),
            ([0xED, 0xA0, 0x80], "not UTF-8 from byte 6 of the file on"),
            ([0xC0, 0x80], "not UTF-8 from byte 6 of the file on"),
        ] as [([UInt8], String)]
    )
    func charactersThatYAMLForbidsAreRefused(bytes: [UInt8], message: String) {
        let file = ManifestReader().read(Array("kind: ".utf8) + bytes + Array("\n".utf8), path: "a.yaml")
        #expect(file.report == ["1:7: error: \(message)"])
        #expect(file.unreadable)
    }

    @Test func binaryJunkIsRefused() {
        let junk = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 3)) }
        let file = ManifestReader().read(junk, path: "a.yaml")
        #expect(!file.diagnostics.isEmpty)
        #expect(file.unreadable)
        #expect(file.resources.isEmpty)
    }

    @Test func utf16IsRefused() {
        let bytes = "kind: Model\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let file = ManifestReader().read([0xFF, 0xFE] + bytes, path: "a.yaml")
        #expect(file.report == ["1:1: error: not UTF-8 from byte 0 of the file on"])
    }
}
