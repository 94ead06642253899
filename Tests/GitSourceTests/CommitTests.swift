import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// Refs, commits and the log.
struct CommitTests {
    let origin: TemporaryRepository
    let first: ObjectID
    let second: ObjectID

    init() throws {
        self.origin = try TemporaryRepository()
        self.first = try self.origin.commit("models/tiny.yaml", "1", message: "Add the tiny model\n\nWith a body.")
        try self.origin.tag("v1")
        try self.origin.tag("v1-signed-off", message: "The first release")
        try self.origin.branch("release/1.0")
        self.second = try self.origin.commit("models/tiny.yaml", "2", message: "Change the tiny model")
        try self.origin.branch("refs-like/name")
    }

    @Test("a commit is summed up with its subject, author and time")
    func summary() throws {
        let summary = try GitRepository(path: self.origin.path).resolve("v1")
        #expect(
            summary
                == CommitSummary(
                    id: self.first,
                    subject: "Add the tiny model",
                    author: "Ada Test <ada@example.org>",
                    time: 1_700_000_001
                )
        )
    }

    @Test(
        "refs resolve by every name they have, loose and packed",
        arguments: [
            ("main", 2), ("HEAD", 2), ("refs/heads/main", 2), ("heads/main", 2), ("release/1.0", 1), ("v1", 1),
            ("refs/tags/v1", 1), ("v1-signed-off", 1), ("refs-like/name", 2), ("HEAD~1", 1),
        ],
        [false, true]
    )
    func refs(name: (String, Int), packed: Bool) throws {
        if packed { try self.origin.git("pack-refs", "--all") }
        let repository = try GitRepository(path: self.origin.path)
        #expect(try repository.resolve(name.0).id == (name.1 == 1 ? self.first : self.second))
    }

    @Test("commit ids resolve in full and abbreviated, and through an annotated tag's own id")
    func ids() throws {
        let repository = try GitRepository(path: self.origin.path)
        #expect(try repository.resolve(self.first).id == self.first)
        #expect(try repository.resolve(String(self.first.prefix(8))).id == self.first)
        #expect(try repository.resolve(self.first.uppercased()).id == self.first)
        #expect(try repository.resolve(try self.origin.id(of: "v1-signed-off")).id == self.first)
    }

    @Test("a branch comes before a tag of its name, and an id before a branch of its name")
    func precedence() throws {
        try self.origin.tag("main", at: self.first)
        try self.origin.git("update-ref", "refs/heads/\(self.first)", self.second)
        let repository = try GitRepository(path: self.origin.path)
        #expect(try repository.resolve("main").id == self.second)
        #expect(try repository.resolve("refs/tags/main").id == self.first)
        #expect(try repository.resolve(self.first).id == self.first)
    }

    @Test("a branch that moves is seen by the same repository value, even across a repack")
    func moving() throws {
        let repository = try GitRepository(path: self.origin.path)
        #expect(try repository.resolve("main").id == self.second)
        let third = try self.origin.commit("models/tiny.yaml", "3")
        #expect(try repository.resolve("main").id == third)
        try self.origin.git("gc", "--quiet", "--prune=now")
        #expect(try repository.resolve("main").id == third)
        let fourth = try self.origin.commit("models/tiny.yaml", "4")
        try self.origin.git("gc", "--quiet", "--prune=now")
        #expect(try repository.resolve("main").id == fourth)
        let content = try #require(try repository.entry(at: "models/tiny.yaml", in: fourth))
        #expect(try repository.read(content.object, limit: 10) == Array("4".utf8))
    }

    @Test(
        "what does not resolve is named, with the nearest name",
        arguments: [
            ("mian", "did you mean 'main'?"), ("release/1.1", "did you mean 'release/1.0'?"),
            ("nothing-like-it", "no branch, tag or commit 'nothing-like-it'"), ("", "no branch"),
            ("deadbeef", "no branch, tag or commit 'deadbeef'"), ("a..b", "'a..b'"), ("main\0", "no branch"),
            ("0123456789012345678901234567890123456789", "no branch"), ("bad name ~^:", "bad name"),
        ]
    )
    func notFound(name: String, words: String) throws {
        let repository = try GitRepository(path: self.origin.path)
        expectError("RefNotFound", mentioning: words) { try repository.resolve(name) }
    }

    @Test("a tree or a file is no commit, and too few digits are ambiguous")
    func notACommit() throws {
        try self.origin.tag("a-tree", at: "HEAD^{tree}")
        // The ids of these two contents are the first of all numbers' to share four digits.
        for number in ["142", "784"] { try self.origin.write(number, number) }
        try self.origin.commit("Two objects that share four digits")
        let shared = try self.origin.id(of: "HEAD:142").prefix(4)
        #expect(try self.origin.id(of: "HEAD:784").hasPrefix(shared))
        let repository = try GitRepository(path: self.origin.path)
        expectError("RefNotACommit", mentioning: "a-tree") { try repository.resolve("a-tree") }
        expectError("RefAmbiguous", mentioning: "more digits") { try repository.resolve(String(shared)) }
    }

    @Test(
        "an empty repository says that nothing was committed, on which branch",
        arguments: ["trunk", "HEAD", "other"]
    )
    func empty(ref: String) throws {
        let empty = try TemporaryRepository(branch: "trunk")
        let repository = try GitRepository(path: empty.path)
        expectError("RepositoryEmpty", mentioning: "no commit on 'trunk' yet") { try repository.resolve(ref) }
        let commit = try empty.commit("a", "1")
        #expect(try repository.resolve("trunk").id == commit)
    }

    @Test("a ref whose commit is gone is reported as damage, not as a misspelling")
    func lostCommit() throws {
        try self.origin.remove(".git/objects/\(self.second.prefix(2))/\(self.second.dropFirst(2))")
        let repository = try GitRepository(path: self.origin.path)
        expectError("ObjectNotFound", mentioning: self.second, "git fsck") { try repository.resolve("main") }
    }

    @Test("the log keeps the commits that touch a path, newest first, up to the limit")
    func log() throws {
        try self.origin.commit("prompts/a.yaml", "a", message: "Add a prompt")
        try self.origin.remove("models/tiny.yaml")
        let removal = try self.origin.commit("Remove the tiny model")
        let repository = try GitRepository(path: self.origin.path)
        let head = try repository.resolve("main").id
        let subjects = { (path: String, limit: Int) in
            try repository.log(from: head, under: path, limit: limit).map(\.subject)
        }
        #expect(head == removal)
        #expect(
            try subjects("", 10)
                == ["Remove the tiny model", "Add a prompt", "Change the tiny model", "Add the tiny model"]
        )
        #expect(
            try subjects("models", 10) == ["Remove the tiny model", "Change the tiny model", "Add the tiny model"]
        )
        #expect(try subjects("models", 2) == ["Remove the tiny model", "Change the tiny model"])
        #expect(try subjects("prompts/a.yaml", 10) == ["Add a prompt"])
        #expect(try subjects("nowhere", 10) == [])
    }

    @Test("the log agrees with git over merges")
    func logOfMerges() throws {
        try self.origin.git("checkout", "--quiet", "-b", "side", self.first)
        try self.origin.commit("prompts/a.yaml", "a", message: "Add a prompt on the side")
        try self.origin.commit("prompts/b.yaml", "b", message: "Add another on the side")
        try self.origin.checkout("main")
        try self.origin.commit("models/big.yaml", "1", message: "Add the big model")
        try self.origin.git("merge", "--quiet", "--no-ff", "--message", "Merge the side", "side")
        try self.origin.commit("prompts/a.yaml", "a2", message: "Change the prompt")
        let repository = try GitRepository(path: self.origin.path)
        let head = try self.origin.head()
        for path in ["", "models", "prompts", "prompts/a.yaml"] {
            let expected = try self.origin.git(["log", "--format=%H", "HEAD"] + (path.isEmpty ? [] : ["--", path]))
            let found = try repository.log(from: head, under: path, limit: 100).map(\.id)
            #expect(Set(found) == Set(expected.split(separator: "\n").map(String.init)), "\(path)")
        }
    }

    @Test("the log of a shallow clone ends where its commits end")
    func shallowLog() throws {
        try self.origin.commit("models/tiny.yaml", "3", message: "Third")
        let clone = try TemporaryRepository()
        try clone.git("fetch", "--quiet", "--depth", "2", "file://\(self.origin.path)", "main:copy")
        let repository = try GitRepository(path: clone.path)
        let head = try repository.resolve("copy").id
        #expect(
            try repository.log(from: head, under: "models", limit: 9).map(\.subject)
                == ["Third", "Change the tiny model"]
        )
    }
}
