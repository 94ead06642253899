import Foundation
import Planning
import Schema
import Synchronization
import Testing

@testable import Retrieval

@Suite("Indexes of knowledge bases")
struct KnowledgeIndexTests {
    private let shelf = Shelf()

    init() {
        self.shelf.write(
            "policies/returns.md",
            "# Returns\nReturn it within 30 days.\n\n# Refunds\nWe refund in a week.\n"
        )
        self.shelf.write("policies/shipping.md", "# Shipping\nWe ship on Monday — to «Åland» too.\n")
        self.shelf.write("policies/gifts.txt", "A gift has no price tag.")
    }

    @Test("Each index finds the document, and cites its very bytes", arguments: KnowledgeBaseSpec.Index.Form.allCases)
    func finds(_ type: KnowledgeBaseSpec.Index.Form) async throws {
        let base = try self.shelf.base(type, chunking: .init(by: .sections))
        let index = try await self.shelf.open(base)
        #expect(index.digest == base.content)
        let questions = [
            "How do I return it?": "# Returns\nReturn it within 30 days.",
            "ship to Aland": "# Shipping\nWe ship on Monday — to «Åland» too.",
        ]
        for (question, text) in questions {
            let first = try #require(try await self.shelf.search(index, question).first)
            #expect(first.text == text)
            let document = try #require(self.shelf.files.withLock { $0[first.document] })
            #expect(String(decoding: Array(document.utf8)[first.start..<first.end], as: UTF8.self) == text)
            #expect(first.documentDigest == self.shelf.artifact(first.document).identity)
        }
    }

    @Test("No more are given than are asked for, the best first")
    func ranks() async throws {
        for type in KnowledgeBaseSpec.Index.Form.allCases {
            let index = try await self.shelf.open(try self.shelf.base(type, chunking: .init(by: .sections)))
            let found = try await self.shelf.search(index, "refund, return, gift", top: 2)
            #expect(found.count == 2)
            #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
            let bar = try #require(found.first?.score)
            let better = try await self.shelf.search(index, "refund, return, gift", top: 9, minScore: bar)
            #expect(better.allSatisfy { $0.score >= bar } && !better.isEmpty)
            #expect(try await self.shelf.search(index, "refund", top: 0).isEmpty)
        }
    }

    static let hostile = [
        "\"", "return\" OR \"ship", "text: return", "NEAR(return ship)", "return*", "^return", "return AND NOT ship",
        "' OR 1=1 --", "{text} : return", "return -ship", "(((", "\0return", "return + ship", "", "   ", "!?.,",
        String(repeating: "return ", count: 10_000), String(repeating: "x", count: 100_000),
    ]

    @Test("A query is data: no sign in it is an operator", arguments: KnowledgeIndexTests.hostile)
    func takesNoOrders(_ text: String) async throws {
        let index = try await self.shelf.open(try self.shelf.base(.lexical, chunking: .init(by: .sections)))
        let found = try await self.shelf.search(index, text, top: 10)
        let words = Set(text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        // Any of the words finds a piece: an operator would leave some out, or find others.
        for passage in found { #expect(words.contains { passage.text.lowercased().contains($0) }) }
        if words.contains("ship") { #expect(found.contains { $0.document == "policies/shipping.md" }) }
        if words.contains("return") { #expect(found.contains { $0.document == "policies/returns.md" }) }
    }

    @Test("What a revision needs is built once, and opened afterwards")
    func opensAgain() async throws {
        let base = try self.shelf.base(.hybrid)
        let store = self.shelf.store()
        async let first = self.shelf.open(base, in: store)
        async let second = self.shelf.open(base, in: store)
        let indexes = try await [first, second]
        #expect(self.shelf.reads.withLock { $0 } == 3)
        let before = try await self.shelf.search(indexes[0], "gift")
        let texts = self.shelf.embedder.texts.withLock { $0.count }
        let again = try await self.shelf.open(base)
        #expect(self.shelf.reads.withLock { $0 } == 3)
        #expect(self.shelf.embedder.texts.withLock { $0.count } == texts)
        #expect(try await self.shelf.search(again, "gift") == before)
    }

    @Test("A changed document embeds its changed pieces alone")
    func incremental() async throws {
        let chunking = KnowledgeBaseSpec.Chunking(by: .sections)
        let old = try await self.shelf.open(try self.shelf.base(.vector, chunking: chunking))
        self.shelf.embedder.texts.withLock { $0 = [] }
        self.shelf.write(
            "policies/returns.md",
            "# Returns\nReturn it within 30 days.\n\n# Refunds\nNo refund, no pear.\n"
        )
        let new = try await self.shelf.open(try self.shelf.base(.vector, chunking: chunking))
        #expect(self.shelf.embedder.texts.withLock { $0 } == ["# Refunds\nNo refund, no pear."])
        #expect(new.digest != old.digest)
        #expect(try await self.shelf.search(new, "pear", top: 1).map(\.text) == ["# Refunds\nNo refund, no pear."])
        #expect(try await self.shelf.search(old, "refund", top: 1).map(\.text) == ["# Refunds\nWe refund in a week."])
        // With another measure vectors are kept otherwise.
        _ = try await self.shelf.open(try self.shelf.base(.vector, metric: .dot, chunking: chunking))
        #expect(self.shelf.embedder.texts.withLock { $0.count } > 4)
    }

    static let damages: [(String, @Sendable (String) throws -> Void)] = [
        ("a file is gone", { try FileManager.default.removeItem(atPath: "\($0)/vectors.f32") }),
        ("a file is short", { try Data([1, 2, 3]).write(to: URL(filePath: "\($0)/vectors.f16")) }),
        ("the note is gone", { try FileManager.default.removeItem(atPath: "\($0)/index.json") }),
        ("the note is no note", { try Data("{".utf8).write(to: URL(filePath: "\($0)/index.json")) }),
        (
            "a byte is another one",
            { folder in
                let place = URL(filePath: "\(folder)/pieces.sqlite")
                var bytes = try Data(contentsOf: place)
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: place)
            }
        ),
        ("everything is gone", { try FileManager.default.removeItem(atPath: $0) }),
    ]

    @Test("An index that is not what was written is made again", arguments: KnowledgeIndexTests.damages.indices)
    func repairs(_ number: Int) async throws {
        let base = try self.shelf.base(.hybrid)
        let before = try await self.shelf.search(try await self.shelf.open(base), "gift")
        let reads = self.shelf.reads.withLock { $0 }
        try Self.damages[number].1("\(self.shelf.folder)/knowledge-\(base.content.hex)")
        #expect(try await self.shelf.search(try await self.shelf.open(base), "gift") == before)
        #expect(self.shelf.reads.withLock { $0 } == reads + 3, "\(Self.damages[number].0)")
    }

    @Test("A build that fails leaves nothing, and says why")
    func fails() async throws {
        self.shelf.write("policies/logo.md", "one\ntwo\u{0}three")
        let error = await #expect(throws: MartletError.self) {
            _ = try await self.shelf.open(try self.shelf.base(.lexical))
        }
        #expect(error?.code == "DocumentInvalid")
        #expect(error?.message.hasPrefix("policies/logo.md:2:4: ") == true)
        #expect(self.shelf.folders.isEmpty)
    }

    static let unusable: [(String, @Sendable ([String]) throws -> [[Float]])] = [
        ("too few", { Array(repeating: [1, 2], count: $0.count - 1) }),
        ("empty", { $0.map { _ in [] } }),
        ("not numbers", { $0.map { _ in [1, .nan] } }),
        ("of several widths", { $0.indices.map { Array(repeating: 1, count: $0 + 1) } }),
    ]

    @Test("Vectors that cannot be used are refused", arguments: KnowledgeIndexTests.unusable.indices)
    func refusesVectors(_ number: Int) async throws {
        let base = try self.shelf.base(.vector, chunking: .init(by: .sections))
        let error = await #expect(throws: MartletError.self) {
            _ = try await self.shelf.store().knowledge(base) { try Self.unusable[number].1($0) }
        }
        #expect(error?.code == "EmbeddingInvalid", "\(Self.unusable[number].0)")
        #expect(self.shelf.folders.isEmpty)
    }

    @Test("A build that is cancelled leaves nothing behind")
    func cancelled() async throws {
        let (shelf, base) = (self.shelf, try self.shelf.base(.vector))
        let (begun, beginning) = AsyncStream<Void>.makeStream()
        let build = Task {
            try await shelf.store().knowledge(base) { _ in
                beginning.yield()
                let (never, _) = AsyncStream<Never>.makeStream()
                for await _ in never {}
                try Task.checkCancellation()
                return []
            }
        }
        for await _ in begun { break }
        build.cancel()
        await #expect(throws: CancellationError.self) { _ = try await build.value }
        #expect(self.shelf.folders.isEmpty)
    }

    @Test("What no graph needs is removed, and half of an index is none")
    func prunes() async throws {
        let (kept, gone) = (try self.shelf.base(.lexical), try self.shelf.base(.vector))
        let index = try await self.shelf.open(gone)
        _ = try await self.shelf.open(kept)
        var graph = RevisionGraph(
            variant: VariantID(namespace: "default", endpoint: "desk"),
            revision: Revision(Digest(of: [])),
            commit: "c",
            serve: try JSONValueDecoder().decode(EndpointSpec.Serve.self, from: ["chain": "desk"]),
            chat: nil,
            chains: [],
            templates: [],
            models: []
        )
        graph.knowledge = [kept]
        await self.shelf.store().prune(keeping: [graph])
        #expect(self.shelf.folders == ["knowledge-\(kept.content.hex)"])
        #expect(try await self.shelf.search(index, "gift", top: 1).map(\.document) == ["policies/gifts.txt"])
        try FileManager.default.createDirectory(
            atPath: "\(self.shelf.folder)/knowledge-1.unfinished",
            withIntermediateDirectories: true
        )
        _ = self.shelf.store()
        #expect(self.shelf.folders == ["knowledge-\(kept.content.hex)"])
    }
}
