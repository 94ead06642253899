import Schema
import Testing

@testable import Retrieval

@Suite("Chunks")
struct ChunkerTests {
    struct Case: Sendable {
        var name: String
        var by: KnowledgeBaseSpec.Chunking.Unit
        var size: Int
        var overlap: Int
        var text: String
        var pieces: [String]
        var format = KnowledgeBaseSpec.Format.text
    }

    static let cases: [Case] = [
        Case(name: "nothing", by: .tokens, size: 4, overlap: 1, text: "", pieces: []),
        Case(name: "white space", by: .tokens, size: 4, overlap: 1, text: " \n\t ", pieces: []),
        Case(name: "all in one", by: .tokens, size: 8, overlap: 1, text: "one two  three", pieces: ["one two  three"]),
        Case(
            name: "words of one token each, one repeated",
            by: .tokens,
            size: 2,
            overlap: 1,
            text: "one two six ten",
            pieces: ["one two", "two six", "six ten"]
        ),
        Case(
            name: "a word of several tokens, and no room to repeat",
            by: .tokens,
            size: 3,
            overlap: 2,
            text: "a considerable end.",
            pieces: ["a", "considerable", "end."]
        ),
        Case(
            name: "a word that is too long is cut",
            by: .tokens,
            size: 1,
            overlap: 0,
            text: "abcdefghij",
            pieces: ["abcd", "efgh", "ij"]
        ),
        Case(
            name: "ideographs count one each",
            by: .tokens,
            size: 2,
            overlap: 0,
            text: "退货政策",
            pieces: ["退货", "政策"]
        ),
        Case(
            name: "accents stay with their letters",
            by: .tokens,
            size: 1,
            overlap: 0,
            text: "cafe\u{301} ole\u{301}",
            pieces: ["cafe\u{301}", "ole\u{301}"]
        ),
        Case(
            name: "characters, as readers see them",
            by: .characters,
            size: 4,
            overlap: 0,
            text: "ab e\u{301}👩‍👩‍👧 z",
            pieces: ["ab", "e\u{301}👩‍👩‍👧 z"]
        ),
        Case(
            name: "a long word by characters",
            by: .characters,
            size: 3,
            overlap: 0,
            text: "abcdefg",
            pieces: ["abc", "def", "g"]
        ),
        Case(
            name: "sentences",
            by: .sentences,
            size: 2,
            overlap: 1,
            text: "One. Two! \"Three?\" Four costs 1.50 now…  Five",
            pieces: ["One. Two!", "Two! \"Three?\"", "\"Three?\" Four costs 1.50 now…", "Four costs 1.50 now…  Five"]
        ),
        Case(
            name: "a blank line ends a sentence",
            by: .sentences,
            size: 1,
            overlap: 0,
            text: "A heading\n\nText\nthat goes on.",
            pieces: ["A heading", "Text\nthat goes on."]
        ),
        Case(
            name: "sections under their headings, but not in code",
            by: .sections,
            size: 50,
            overlap: 10,
            text: "intro\n# A\na\n```\n# no\n```\n## B\nb\n#c\n",
            pieces: ["intro", "# A\na\n```\n# no\n```", "## B\nb\n#c"],
            format: .markdown
        ),
        Case(
            name: "a long section is cut by tokens",
            by: .sections,
            size: 2,
            overlap: 0,
            text: "# A b c\n# D",
            pieces: ["# A", "b c", "# D"],
            format: .markdown
        ),
        Case(
            name: "without headings there is one section",
            by: .sections,
            size: 9,
            overlap: 0,
            text: "# a\n# b",
            pieces: ["# a\n# b"]
        ),
        Case(
            name: "rows never share a piece",
            by: .tokens,
            size: 100,
            overlap: 10,
            text: "id,text\n1,\"a, b\"\n2,c\n",
            pieces: ["id: 1\ntext: a, b", "id: 2\ntext: c"],
            format: .csv
        ),
        Case(
            name: "lines of JSON",
            by: .tokens,
            size: 100,
            overlap: 10,
            text: "{\"b\":2,\"a\":\"x\"}\n\n\"alone\"\n",
            pieces: ["a: x\nb: 2", "alone"],
            format: .jsonl
        ),
        Case(
            name: "HTML without its markup",
            by: .sections,
            size: 100,
            overlap: 10,
            text: "<!doctype html><title>T</title><style>p{}</style><h1>A &amp; B</h1><p class='>'>one<br>two</p>"
                + "<script>x<y</script><!-- no --><h2>C</h2>1 < 2 &unknown; &#x41;",
            pieces: ["T", "A & B\n\none\ntwo", "C\n1 < 2 &unknown; A"],
            format: .html
        ),
    ]

    @Test("Text is cut as the manifest says", arguments: ChunkerTests.cases)
    func pieces(_ test: Case) throws {
        let text = try DocumentText(Array(test.text.utf8), format: test.format, path: "d")
        let chunker = Chunker(.init(by: test.by, size: test.size, overlap: test.overlap))
        let pieces = chunker.pieces(of: text).map { String(decoding: text.bytes[$0], as: UTF8.self) }
        #expect(pieces == test.pieces, "\(test.name)")
    }

    @Test("Every piece says exactly where it stands", arguments: ChunkerTests.cases)
    func spans(_ test: Case) throws {
        let document = Array(test.text.utf8)
        let text = try DocumentText(document, format: test.format, path: "d")
        let chunker = Chunker(.init(by: test.by, size: test.size, overlap: test.overlap))
        for piece in chunker.pieces(of: text) {
            let source = text.source(of: piece)
            #expect(source.lowerBound >= 0 && source.upperBound <= document.count && !source.isEmpty)
            #expect(String(validating: document[source], as: UTF8.self) != nil)
            guard test.format == .text || test.format == .markdown else { continue }
            #expect(Array(document[source]) == Array(text.bytes[piece]))
        }
    }

    @Test("Of HTML a piece spans what it was made of")
    func htmlSpans() throws {
        let html = "<p>Return it</p><p>within &lt;30&gt; days</p>"
        let text = try DocumentText(Array(html.utf8), format: .html, path: "d")
        let pieces = Chunker(.init(by: .characters, size: 1000, overlap: 0)).pieces(of: text)
        let sources = pieces.map { String(decoding: Array(html.utf8)[text.source(of: $0)], as: UTF8.self) }
        #expect(sources == ["Return it</p><p>within &lt;30&gt; days"])
    }

    @Test("All of a text is in some piece, and no piece is larger than it may be", arguments: 1...40)
    func covers(_ size: Int) throws {
        let words = (0..<200).map { String(repeating: "x", count: $0 % 23 + 1) + ($0 % 7 == 0 ? "," : "") }
        let text = try DocumentText(Array(words.joined(separator: " ").utf8), format: .text, path: "d")
        for overlap in [0, size / 2, size - 1] {
            let pieces = Chunker(.init(by: .tokens, size: size, overlap: overlap)).pieces(of: text)
            var covered = 0
            for piece in pieces {
                #expect(text.bytes[covered..<max(covered, piece.lowerBound)].allSatisfy { $0 == 0x20 })
                #expect(piece.upperBound > covered)
                covered = piece.upperBound
                let weight = TextUnits.units(of: text.bytes, in: piece, by: .tokens, size: size)
                #expect(weight.reduce(0) { $0 + $1.weight } <= size)
            }
            #expect(covered == text.bytes.count)
        }
    }

    static let broken: [(KnowledgeBaseSpec.Format, [UInt8], Int)] = [
        (.text, Array("abc".utf8) + [0xFF], 3), (.markdown, Array("ü".utf8) + [0xC3], 2), (.html, [0x61, 0], 1),
        (.jsonl, Array("{}\n{\"a\":}".utf8), 8),
    ]

    @Test("What is no text is refused at its place", arguments: ChunkerTests.broken)
    func refuses(_ format: KnowledgeBaseSpec.Format, _ bytes: [UInt8], _ offset: Int) {
        let error = #expect(throws: DocumentText.Unreadable.self) {
            _ = try DocumentText(bytes, format: format, path: "d")
        }
        #expect(error?.offset == offset)
    }
}
