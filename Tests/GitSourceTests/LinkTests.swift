import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// Paths through symbolic links, which never leave the repository.
struct LinkTests {
    let origin: TemporaryRepository
    let repository: GitRepository
    let head: ObjectID

    init() throws {
        self.origin = try TemporaryRepository()
        try self.origin.write("models/v2/weights.bin", "weights")
        try self.origin.write("models/readme", "text")
        for (link, target) in Self.links { try self.origin.symlink(link, to: target) }
        self.head = try self.origin.commit("Add links")
        self.repository = try GitRepository(path: self.origin.path)
    }

    static let links = [
        ("models/current", "v2"), ("latest", "models/current/weights.bin"), ("models/up", "../models/./v2"),
        ("chain", "latest"), ("root", "."), ("deep/back", "../../outside"), ("deep/there-and-back", "../models/readme"),
        ("absolute", "/etc/passwd"), ("absolute-accented", "/\u{301}etc"), ("climb-accented", "../\u{301}x"),
        ("loop", "pool"), ("pool", "loop"), ("self", "self/x"),
        ("dangling", "models/none"),
        ("climb", "models/current/../../../x"), ("via", "deep/back"),
    ]

    @Test(
        "links are followed to the entry that they lead to",
        arguments: [
            ("models/v2/weights.bin", "models/v2/weights.bin"), ("models/current", "models/v2"),
            ("models/current/weights.bin", "models/v2/weights.bin"), ("latest", "models/v2/weights.bin"),
            ("chain", "models/v2/weights.bin"), ("models/up/weights.bin", "models/v2/weights.bin"),
            ("deep/there-and-back", "models/readme"), ("root/models", "models"), ("root", ""), ("", ""),
            ("./models//v2/", "models/v2"),
        ]
    )
    func followed(path: String, expected: String) throws {
        let entry = try self.repository.resolvedEntry(at: path, in: self.head)
        #expect(entry.path == expected)
        #expect(entry == (try self.repository.entry(at: expected, in: self.head)))
    }

    @Test(
        "a link that leaves the repository is named, and nothing is read",
        arguments: [
            ("deep/back", "deep/back"), ("deep/back/etc/passwd", "deep/back"), ("absolute", "absolute"),
            ("climb", "climb"), ("via", "deep/back"), ("absolute-accented", "absolute-accented"),
            ("climb-accented", "climb-accented"),
        ]
    )
    func leaving(path: String, culprit: String) throws {
        expectError("PathLeavesRepository", mentioning: "'\(path)'", "symbolic link '\(culprit)'") {
            try self.repository.resolvedEntry(at: path, in: self.head)
        }
    }

    @Test(
        "links in a circle end in an error",
        arguments: ["loop", "pool", "self", "loop/x"]
    )
    func loops(path: String) throws {
        expectError("PathLoops", mentioning: "'\(path)'") {
            try self.repository.resolvedEntry(at: path, in: self.head)
        }
    }

    @Test(
        "what is not there is named, with the link that leads there",
        arguments: [
            ("models/none", "'models/none' is not in the commit"), ("dangling", "the symbolic link 'dangling'"),
            ("models/readme/x", "'models/readme' is a file"), ("latest/x", "'models/v2/weights.bin' is a file"),
        ]
    )
    func missing(path: String, words: String) throws {
        expectError("PathNotFound", mentioning: words) {
            try self.repository.resolvedEntry(at: path, in: self.head)
        }
    }

    @Test("the work tree is never looked at")
    func workTreeIsIgnored() throws {
        try self.origin.write("models/none", "only here")
        try self.origin.remove("models/readme")
        expectError("PathNotFound") { try self.repository.resolvedEntry(at: "dangling", in: self.head) }
        #expect(try self.repository.resolvedEntry(at: "deep/there-and-back", in: self.head).kind == .file)
    }
}
