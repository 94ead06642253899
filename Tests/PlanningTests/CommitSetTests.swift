import Planning
import Schema
import Testing

@Suite("Commits of several sources")
struct CommitSetTests {
    private static let set = CommitSet(["shop": "9c01", "desk": "3f2a"])

    @Test("The id tells all commits, in one order, after digits that change with any of them")
    func id() {
        let parts = Self.set.id.split(separator: ":", maxSplits: 1)
        #expect(parts.count == 2 && parts[0].count == 12)
        #expect(parts[1] == "desk=3f2a,shop=9c01")
        #expect(parts[0].allSatisfy { $0.isHexDigit })
        #expect(CommitSet(["shop": "9c02", "desk": "3f2a"]).id.prefix(12) != Self.set.id.prefix(12))
        #expect(CommitSet(id: Self.set.id) == Self.set)
        #expect(CommitSet(id: CommitSet([:]).id) == CommitSet([:]))
    }

    @Test("The id of a git commit is no set", arguments: ["", "9c01", String(repeating: "a", count: 40)])
    func plain(id: ObjectID) {
        #expect(CommitSet(id: id) == nil)
    }

    @Test(
        "A place belongs to the commit of its source",
        arguments: [
            ("shop:a/b.yaml", "shop", "9c01"), ("desk:b.yaml", "desk", "3f2a"), ("shop:a:b.yaml", "shop", "9c01"),
        ]
    )
    func places(path: String, source: String, commit: ObjectID) {
        let summary = CommitSummary(id: Self.set.id, subject: "", author: "", time: 0)
        let location = SourceLocation(path: path, line: 1, column: 1)
        #expect(summary.source(of: location) == source)
        #expect(summary.id(at: location) == commit)
    }

    @Test("With one source, every place belongs to its commit")
    func oneSource() {
        let summary = CommitSummary(id: "9c01", subject: "", author: "", time: 0)
        for path in ["a.yaml", "shop:a.yaml"] {
            let location = SourceLocation(path: path, line: 1, column: 1)
            #expect(summary.source(of: location) == nil)
            #expect(summary.id(at: location) == "9c01")
        }
    }
}
