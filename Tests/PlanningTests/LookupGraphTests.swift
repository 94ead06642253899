import Planning
import Schema
import Testing

@Suite("Knowledge and tables in revisions")
struct LookupGraphTests {
    /// Two endpoints: `desk` looks up policies and orders, `other` only policies of its own.
    private static func shop() throws -> Repository {
        var repository = try Repository.desk()
        repository.unavailable = .none
        repository.files["policies/returns.md"] = "# Returns"
        repository.files["policies/deep/gifts.html"] = "<p>Gifts</p>"
        repository.files["other/terms.txt"] = "Terms"
        repository.files["data/orders.csv"] = "id,total\n1,2\n"
        repository.files["data/faq.jsonl"] = "{\"q\":\"a\"}"
        try repository.add(.dataset, "orders", ["source": ["uri": "data/orders.csv"], "columns": ["total": "number"]])
        try repository.add(.dataset, "faq", ["source": ["uri": "data/faq.jsonl"]])
        try repository.add(
            .knowledgeBase,
            "policies",
            [
                "documents": [["source": ["uri": "policies"]], ["dataset": "faq"]],
                "embedding": ["model": "deskhand"], "index": ["type": "hybrid"],
            ]
        )
        try repository.add(.knowledgeBase, "terms", ["documents": [["source": ["uri": "other/terms.txt"]]]])
        try repository.add(.featureTable, "orders", ["dataset": "orders", "key": "id", "columns": ["id": "integer"]])
        for (chain, steps) in [
            (
                "desk",
                [
                    ["name": "facts", "retrieve": ["knowledgeBase": "policies", "query": "$.input"]],
                    ["name": "order", "features": ["table": "orders", "key": "$.input"]],
                ]
            ), ("other", [["name": "facts", "retrieve": ["knowledgeBase": "terms", "query": "$.input"]]]),
        ] as [(String, JSONValue)] {
            try repository.add(.chain, chain, ["steps": steps])
            try repository.add(.endpoint, chain, ["serve": .object(["chain": .string(chain)])])
        }
        return repository
    }

    private static func id(_ endpoint: String) -> VariantID { VariantID(namespace: "default", endpoint: endpoint) }

    @Test("A revision has its knowledge bases and tables, with every file that they name")
    func graph() throws {
        let state = try Self.shop().build()
        #expect(state.blocked.isEmpty, "\(state.blocked)")
        let desk = try #require(state.variants[Self.id("desk")])
        #expect(desk.hasLookups && desk.hasWarmUps)
        let base = try #require(desk.knowledge.first)
        #expect(desk.knowledge.map(\.identity.name) == ["policies"])
        #expect(base.documents.map(\.path) == ["data/faq.jsonl", "policies/deep/gifts.html", "policies/returns.md"])
        #expect(base.documents.map(\.format) == [.jsonl, .html, .markdown])
        #expect(base.embedding?.instance == desk.models.first?.instance.key)
        let table = try #require(desk.tables.first)
        #expect(table.format == .csv && table.columns == ["id": .integer, "total": .number])
        let other = try #require(state.variants[Self.id("other")])
        #expect(other.knowledge.map(\.identity.name) == ["terms"] && other.tables.isEmpty && other.models.isEmpty)
        #expect(other.knowledge.first?.embedding == nil)
    }

    static let changes: [(String, String, [String], String)] = [
        ("policies/returns.md", "# Returns!", ["desk"], "policies/returns.md (its content)"),
        ("policies/new.md", "New", ["desk"], "policies/new.md (new)"),
        ("data/faq.jsonl", "{\"q\":\"b\"}", ["desk"], "data/faq.jsonl (its content)"),
        ("data/orders.csv", "id,total\n1,3\n", ["desk"], "data/orders.csv (its content)"),
        ("other/terms.txt", "Terms.", ["other"], "other/terms.txt (its content)"),
        ("other/more.txt", "Nobody's", [], ""),
    ]

    @Test(
        "A changed file changes exactly the endpoints that reach it, and is named",
        arguments: LookupGraphTests.changes
    )
    func changed(_ path: String, _ content: String, _ endpoints: [String], _ field: String) throws {
        var repository = try Self.shop()
        let before = repository.build()
        repository.files[path] = content
        let after = repository.build(commit: "c2", previous: before)
        let moved = before.variants.keys.filter { before.variants[$0]?.revision != after.variants[$0]?.revision }
        #expect(moved.map(\.endpoint).sorted() == endpoints)
        for id in moved {
            let (old, new) = (try #require(before.variants[id]), try #require(after.variants[id]))
            #expect(RevisionDiff(from: old, to: new).changes.compactMap(\.field) == [field])
            #expect(old.knowledge.map(\.content) != new.knowledge.map(\.content) || old.tables != new.tables)
        }
    }

    @Test("A document that is gone is named")
    func gone() throws {
        var repository = try Self.shop()
        let before = try #require(repository.build().variants[Self.id("desk")])
        repository.files["policies/returns.md"] = nil
        let after = try #require(repository.build().variants[Self.id("desk")])
        #expect(RevisionDiff(from: before, to: after).changes.map(\.field) == ["policies/returns.md (gone)"])
    }

    static let broken: [(String, @Sendable (inout Repository) throws -> Void, String, String)] = [
        (
            "a missing folder", { $0.files = $0.files.filter { !$0.key.hasPrefix("policies") } }, "policies",
            "PathNotFound"
        ),
        (
            "a key twice", { $0.files["data/orders.csv"] = "id,total\n1,2\n1,3\n" },
            "data/orders.csv:3:1: the key [1] stands in line 2", "TableInvalid"
        ),
        (
            "no column of the key", { $0.files["data/orders.csv"] = "no,total\n1,2\n" },
            "data/orders.csv:1:1: there is no column 'id'", "TableInvalid"
        ),
        (
            "a source that cannot be had",
            {
                try $0.change(.knowledgeBase, "policies") {
                    $0["documents"] = [
                        ["source": ["uri": "https://a.b/c", "sha256": .string(String(repeating: "0", count: 64))]]
                    ]
                }
            },
            "a source by https:// is not available", "NotAvailable"
        ),
    ]

    @Test("What is wrong blocks the endpoint, and says where", arguments: LookupGraphTests.broken.indices)
    func blocks(_ index: Int) throws {
        let (_, change, message, word) = Self.broken[index]
        var repository = try Self.shop()
        try change(&repository)
        let state = repository.build()
        #expect(state.variants[Self.id("desk")] == nil)
        #expect(state.variants[Self.id("other")] != nil)
        let blocker = try #require(state.blocked[Self.id("desk").resource])
        #expect(blocker.word == word && blocker.message.contains(message), "\(blocker)")
    }

    static let moments: [(JSONValue, Int64?)] = [
        ("1970-01-01", 0), ("1970-01-01T00:00:01.25Z", 1250), ("2000-02-29 12:00", 951_825_600_000),
        ("2023-11-14T22:13:20+00:00", 1_700_000_000_000), ("2023-11-15T00:13:20+0200", 1_700_000_000_000),
        ("1969-12-31T23:59:59Z", -1000), (1_700_000_000, 1_700_000_000_000), (1.5, 1500), ("2023-02-29", nil),
        ("2023-13-01", nil), ("14.11.2023", nil), ("", nil), (true, nil), (.null, nil), (.integer(.max), nil),
    ]

    @Test("Moments are read in the forms that tables have", arguments: LookupGraphTests.moments)
    func readsMoments(_ value: JSONValue, _ milliseconds: Int64?) {
        #expect(Timestamp(reading: value)?.milliseconds == milliseconds)
    }
}
