import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// Entries, files and the changes between commits.
struct TreeTests {
    let origin: TemporaryRepository

    init() throws {
        self.origin = try TemporaryRepository()
    }

    /// Commits a set of files in place of all that there were.
    private func commit(_ files: [String: String]) throws -> ObjectID {
        try self.origin.git("rm", "-r", "--quiet", "--force", "--ignore-unmatch", ".")
        for (path, text) in files { try self.origin.write(path, text) }
        return try self.origin.commit("Change")
    }

    struct Change: Sendable {
        var name: String
        var before: [String: String]
        var after: [String: String]
        var path = ""
        var changed: [String] = []
        var removed: [String] = []
    }

    static let differences: [Change] = [
        Change(name: "nothing", before: ["a": "1"], after: ["a": "1"]),
        Change(name: "an addition", before: ["a": "1"], after: ["a": "1", "b/c": "2"], changed: ["b/c"]),
        Change(name: "a change", before: ["a": "1", "b": "1"], after: ["a": "2", "b": "1"], changed: ["a"]),
        Change(name: "a removal", before: ["a": "1", "b": "1"], after: ["b": "1"], removed: ["a"]),
        Change(
            name: "a rename",
            before: ["m/a": "1", "m/z": "2"],
            after: ["m/b": "1", "m/z": "2"],
            changed: ["m/b"],
            removed: ["m/a"]
        ),
        Change(
            name: "a file that becomes a folder, among names that sort between",
            before: ["a": "1", "a.b": "1", "a0": "1"],
            after: ["a/x": "1", "a.b": "2", "a0": "1"],
            changed: ["a.b", "a/x"],
            removed: ["a"]
        ),
        Change(
            name: "a folder that becomes a file",
            before: ["a/x": "1", "a/y/z": "1"],
            after: ["a": "1"],
            changed: ["a"],
            removed: ["a/x", "a/y/z"]
        ),
        Change(
            name: "changes below a path only",
            before: ["m/a": "1", "n/a": "1", "m/n/a": "1"],
            after: ["m/a": "2", "n/a": "2", "m/n/a": "2"],
            path: "./m/n/",
            changed: ["m/n/a"]
        ),
        Change(name: "a path that is new", before: ["a": "1"], after: ["m/a": "1"], path: "m", changed: ["m/a"]),
        Change(
            name: "names beyond ASCII",
            before: ["é": "1"],
            after: ["é": "2", "🦜/模型": "1"],
            changed: ["é", "🦜/模型"]
        ),
    ]

    @Test("changes between two commits", arguments: Self.differences)
    func changes(change: Change) throws {
        let base = try self.commit(change.before)
        let head = try self.commit(change.after)
        let found = try GitRepository(path: self.origin.path).changes(from: base, to: head, under: change.path)
        #expect(found.changed.map(\.path) == change.changed)
        #expect(found.removed == change.removed)
        for entry in found.changed {
            #expect(entry.kind == .file)
            #expect(entry.object == (try self.origin.id(of: "HEAD:\(entry.path)")))
        }
    }

    @Test("from nothing, everything below the path has changed")
    func fromNothing() throws {
        let head = try self.commit(["a": "1", "m/b": "2", "m/c/d": "3", "m.x": "4"])
        let repository = try GitRepository(path: self.origin.path)
        let all = try repository.changes(from: nil, to: head, under: "")
        #expect(all.changed.map(\.path) == ["a", "m.x", "m/b", "m/c/d"])
        #expect(all.removed.isEmpty)
        #expect(try repository.changes(from: nil, to: head, under: "m").changed.map(\.path) == ["m/b", "m/c/d"])
        #expect(try repository.files(below: "m", in: head).map(\.path) == ["m/b", "m/c/d"])
        #expect(try repository.files(below: "", in: head) == all.changed)
    }

    @Test("a path that the commit lacks is an error, never the removal of everything below it")
    func missingPath() throws {
        let base = try self.commit(["m/a": "1", "b": "1"])
        let head = try self.commit(["b": "1"])
        let repository = try GitRepository(path: self.origin.path)
        expectError("PathNotFound", mentioning: "'m'", String(head.prefix(10))) {
            try repository.changes(from: base, to: head, under: "m")
        }
        expectError("PathNotFound", mentioning: "'m'") { try repository.files(below: "m", in: head) }
        expectError("PathNotAFolder", mentioning: "'b' is a file") { try repository.files(below: "b", in: head) }
    }

    @Test("links and submodules are reported as what they are")
    func kinds() throws {
        let base = try self.commit(["file": "file", "was-file": "target"])
        try self.origin.remove("was-file")
        try self.origin.symlink("was-file", to: "target")
        try self.origin.symlink("link", to: "file")
        try self.origin.git("add", "--all")
        try self.origin.git("update-index", "--add", "--cacheinfo", "160000,\(base),module")
        try self.origin.git("commit", "--quiet", "--message", "Add a link and a submodule")
        let head = try self.origin.head()
        let repository = try GitRepository(path: self.origin.path)

        let changed = try repository.changes(from: base, to: head, under: "").changed
        #expect(changed.map { "\($0.path): \($0.kind)" } == ["link: link", "module: submodule", "was-file: link"])
        #expect(
            try repository.entry(at: "module", in: head) == TreeEntry(path: "module", kind: .submodule, object: base)
        )
        #expect(try repository.entry(at: "link", in: head)?.kind == .link)
        #expect(try repository.entry(at: "", in: head)?.kind == .folder)
        #expect(try repository.entry(at: "nowhere", in: head) == nil)
        #expect(try repository.entry(at: "file/below", in: head) == nil)
    }

    @Test("folders nested without end are refused, and as deep as anybody has them read")
    func depth() throws {
        let deep = String(repeating: "d/", count: 255)
        let head = try self.commit([deep + "file": "1"])
        #expect(try GitRepository(path: self.origin.path).files(below: "", in: head).map(\.path) == [deep + "file"])
        let tooDeep = try self.commit([deep + "d/file": "1"])
        expectError("PathTooDeep", mentioning: "d/d", "256 folders") {
            try GitRepository(path: self.origin.path).changes(from: head, to: tooDeep, under: "")
        }
    }

    @Test("whether a file may be executed changes nothing")
    func executable() throws {
        let base = try self.commit(["run": "1"])
        try self.origin.git("update-index", "--chmod=+x", "run")
        try self.origin.git("commit", "--quiet", "--message", "Make it executable")
        let changes = try GitRepository(path: self.origin.path).changes(
            from: base,
            to: try self.origin.head(),
            under: ""
        )
        #expect(changes == TreeChanges(changed: [], removed: []))
    }

    @Test("a path must stay inside", arguments: ["/etc", "../x", "a/../../b", "a/..", "a\0b"])
    func invalidPath(path: String) throws {
        let head = try self.commit(["a": "1"])
        let repository = try GitRepository(path: self.origin.path)
        expectError("PathInvalid", mentioning: "not a path within the repository") {
            try repository.entry(at: path, in: head)
        }
        expectError("PathInvalid") { try repository.resolvedEntry(at: path, in: head) }
        expectError("PathInvalid") { try repository.files(below: path, in: head) }
    }

    @Test("folders nested beyond all reason are refused, not followed")
    func deepFolders() throws {
        let head = try self.commit([Array(repeating: "d", count: 300).joined(separator: "/"): "1"])
        let repository = try GitRepository(path: self.origin.path)
        expectError("PathTooDeep", mentioning: "256") { try repository.files(below: "", in: head) }
    }

    @Test("a commit that is not there, or no id at all, is named")
    func unknownCommit() throws {
        _ = try self.commit(["a": "1"])
        let repository = try GitRepository(path: self.origin.path)
        let unknown = String(repeating: "ab", count: 20)
        expectError("ObjectNotFound", mentioning: unknown) { try repository.files(below: "", in: unknown) }
        expectError("InvalidObjectID", mentioning: "'main'") { try repository.files(below: "", in: "main") }
    }
}
