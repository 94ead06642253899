import Controller
import GitSource
import ManifestYAML
import Planning
import Schema
import TestSupport
import Testing

@Suite("Several repositories as one")
struct SourceSetTests {
    private let shop: TemporaryRepository
    private let desk: TemporaryRepository

    init() throws {
        (self.shop, self.desk) = (try TemporaryRepository(), try TemporaryRepository())
        try self.shop.write("deploy/a.yaml", "a")
        try self.shop.write("other/b.yaml", "b")
        try self.shop.commit("Shop")
        try self.desk.write("deploy/a.yaml", "desk")
        try self.desk.commit("Desk")
    }

    private func set(shopPath: String = "deploy", shopRef: String = "main") throws -> SourceSet {
        SourceSet([
            SourceSet.Member(
                name: "shop",
                repository: try GitRepository(path: self.shop.path),
                location: self.shop.path,
                ref: shopRef,
                path: shopPath
            ),
            SourceSet.Member(
                name: "desk",
                repository: try GitRepository(path: self.desk.path),
                location: self.desk.path,
                ref: "HEAD",
                path: ""
            ),
        ])
    }

    @Test("A commit tells that of each source")
    func commits() throws {
        let commit = try self.set().resolve("")
        let (shop, desk) = (try self.shop.head(), try self.desk.head())
        #expect(CommitSet(id: commit.id)?.commits == ["shop": shop, "desk": desk])
        #expect(commit.subject == "desk@\(desk.prefix(10)), shop@\(shop.prefix(10))")
        #expect(try self.set().resolve(commit.id) == commit)
    }

    @Test("Paths begin with the names of their sources, and only followed folders are there")
    func changes() throws {
        let set = try self.set()
        let first = try set.resolve("")
        let all = try set.changes(from: nil, to: first.id, under: SourceSet.followedFolders)
        #expect(all.changed.map(\.path) == ["desk:deploy/a.yaml", "shop:deploy/a.yaml"])

        try self.shop.remove("deploy/a.yaml")
        try self.shop.write("deploy/c.yaml", "c")
        try self.shop.write("other/b.yaml", "not followed")
        try self.shop.commit("Move")
        let second = try set.resolve("")
        let moved = try set.changes(from: first.id, to: second.id, under: SourceSet.followedFolders)
        #expect(moved.changed.map(\.path) == ["shop:deploy/c.yaml"])
        #expect(moved.removed == ["shop:deploy/a.yaml"])
        let everywhere = try set.changes(from: first.id, to: second.id, under: "")
        #expect(everywhere.changed.map(\.path) == ["shop:deploy/c.yaml", "shop:other/b.yaml"])
        #expect(second.id.prefix(12) != first.id.prefix(12))
    }

    @Test("Files are found in the repository that their path names, and blobs wherever they are")
    func files() throws {
        let set = try self.set()
        let commit = try set.resolve("").id
        let entry = try set.resolvedEntry(at: "desk:deploy/a.yaml", in: commit)
        #expect(entry.path == "desk:deploy/a.yaml")
        #expect(try set.read(entry.object, limit: 100) == Array("desk".utf8))
        #expect(try set.size(of: entry.object) == 4)
        let other = try #require(try set.entry(at: "shop:other/b.yaml", in: commit))
        #expect(try set.read(other.object, limit: 100) == Array("b".utf8))
        #expect(try set.files(below: "shop:deploy", in: commit).map(\.path) == ["shop:deploy/a.yaml"])
        for path in ["deploy/a.yaml", "none:deploy/a.yaml"] {
            #expect(throws: MartletError.self) { try set.resolvedEntry(at: path, in: commit) }
        }
        let error = #expect(throws: MartletError.self) { try set.read(entry.object, limit: 1) }
        #expect(error?.code == "BlobTooLarge")
        #expect(throws: MartletError.self) { try set.read(String(repeating: "1", count: 40), limit: 1) }
    }

    @Test("What is wrong with a blob in one source counts more than that others do not have it")
    func damagedBlob() throws {
        let entry = try self.set().resolvedEntry(at: "desk:deploy/a.yaml", in: try self.set().resolve("").id)
        let file = ".git/objects/\(entry.object.prefix(2))/\(entry.object.dropFirst(2))"
        try self.desk.remove(file)
        try self.desk.write(file, "no object")
        let error = #expect(throws: MartletError.self) { try self.set().read(entry.object, limit: 100) }
        #expect(error?.code == "ObjectCorrupt", "\(error as Any)")
        let unknown = #expect(throws: MartletError.self) {
            try self.set().read(String(repeating: "1", count: 40), limit: 1)
        }
        #expect(unknown?.code == "ObjectNotFound")
    }

    @Test(
        "A source that cannot be read stays at the commit in force",
        arguments: [("none", "main"), ("deploy", "none")]
    )
    func fallBack(path: String, ref: String) throws {
        let good = try self.set().resolve("")
        let set = try self.set(shopPath: path, shopRef: ref)
        let alone = try set.resolve("")
        #expect(CommitSet(id: alone.id)?.commits.keys.sorted() == ["desk"])
        #expect(set.current["shop"]?.failure != nil && set.current["shop"]?.commit == nil)
        #expect(set.current["desk"]?.failure == nil)

        set.recall(good.id)
        #expect(try set.resolve("") == good)
        #expect(set.current["shop"]?.failure != nil)
        let head = try self.desk.commit("deploy/b.yaml", "more")
        #expect(CommitSet(id: try set.resolve("").id)?.commits["desk"] == head)
    }

    @Test("With no source left there is an error that says why of each")
    func nothing() throws {
        let set = SourceSet([
            SourceSet.Member(
                name: "shop",
                repository: try GitRepository(path: self.shop.path),
                location: "",
                ref: "none",
                path: ""
            )
        ])
        let error = #expect(throws: MartletError.self) { try set.resolve("") }
        #expect(error?.code == "SourcesUnreadable")
        #expect(error?.message.hasPrefix("shop: ") == true)
        #expect(throws: MartletError.self) { try set.resolve("main") }
    }

    @Test("Sources advance one by one, and the one whose commit is of no use stays back")
    func advance() throws {
        let set = try self.set()
        let first = try set.resolve("")
        try set.settle(first.id)
        let (shop, desk) = (try self.shop.commit("deploy/x.yaml", "x"), try self.desk.commit("x.yaml", "x"))
        let state = try set.advance(to: try set.resolve("")) { commit, _ in
            guard CommitSet(id: commit.id)?.commits["shop"] != shop else { throw MartletError("Broken", "no tree") }
            return DesiredState(commit: commit)
        }
        let before = try #require(CommitSet(id: first.id)?.commits["shop"])
        #expect(CommitSet(id: state.commit.id)?.commits == ["desk": desk, "shop": before])
        #expect(set.current["shop"]?.failure?.code == "Broken")
        #expect(set.current["shop"]?.commit?.id == before)
        #expect(set.current["desk"]?.commit?.id == desk && set.current["desk"]?.failure == nil)
    }

    @Test("A change of any source is noticed")
    func notices() async throws {
        let set = try self.set()
        var changes = set.refChanges().makeAsyncIterator()
        for repository in [self.shop, self.desk] {
            try repository.commit("Again")
            #expect(await changes.next() != nil)
        }
    }
}
