import Glibc
import ManifestYAML
import Planning
import Schema
import TestSupport
import Testing

@testable import Commands

/// The work tree as the commit that it is not yet.
struct WorkTreeSourceTests {
    private let repository: TemporaryRepository

    init() throws {
        self.repository = try TemporaryRepository()
        try self.repository.write("a.yaml", "a: 1\n")
        try self.repository.write("models/big.bin", bytes: Array(repeating: 7, count: 3 << 20))
        try self.repository.write("models/small.txt", "small\n")
        try self.repository.symlink("models/link.txt", to: "small.txt")
        try self.repository.symlink("out.txt", to: "../out.txt")
        try self.repository.symlink("absolute.txt", to: "/etc/hostname")
        try self.repository.symlink("loop", to: "loop")
        try self.repository.symlink("deep", to: "models")
        try self.repository.symlink("back", to: "models/../a.yaml")
    }

    private func source() throws -> WorkTreeSource {
        try WorkTreeSource(root: self.repository.path)
    }

    @Test("Files have the ids that git gives them, in git's order")
    func idsAreGits() throws {
        try self.repository.commit("Begin")
        let lines = try self.repository.git("ls-tree", "-r", "HEAD").split(separator: "\n")
        let entries = try self.source().files(below: "", in: WorkTreeSource.id)
        #expect(entries.map(\.path) == lines.compactMap { $0.split(separator: "\t").last.map(String.init) })
        #expect(entries.map(\.object) == lines.map { String($0.split(separator: " ")[2].prefix(40)) })
        #expect(entries.filter { $0.kind == .link }.count == 6)
    }

    @Test(
        "Links are followed within the tree",
        arguments: [
            ("models/link.txt", "models/small.txt"), ("deep/link.txt", "models/small.txt"), ("back", "a.yaml"),
            ("./models//small.txt", "models/small.txt"),
        ]
    )
    func follows(path: String, leadsTo: String) throws {
        #expect(try self.source().resolvedEntry(at: path, in: WorkTreeSource.id).path == leadsTo)
    }

    @Test(
        "A path that leads nowhere or out says so",
        arguments: [
            ("gone", "PathNotFound"), ("a.yaml/x", "PathNotFound"), ("out.txt", "PathLeavesRepository"),
            ("absolute.txt", "PathLeavesRepository"), ("loop", "PathLoops"), ("../x", "PathInvalid"),
            ("/etc", "PathInvalid"), ("../\u{301}x", "PathInvalid"), ("/\u{301}etc", "PathInvalid"),
        ]
    )
    func refuses(path: String, code: String) throws {
        let source = try self.source()
        let error = #expect(throws: MartletError.self) { try source.resolvedEntry(at: path, in: WorkTreeSource.id) }
        #expect(error?.code == code)
    }

    @Test("A file in whose place a pipe is put is not opened any more", .timeLimit(.minutes(1)))
    func replacedByPipe() throws {
        let source = try self.source()
        let entry = try #require(try source.entry(at: "models/small.txt", in: WorkTreeSource.id))
        try self.repository.remove("models/small.txt")
        #expect(mkfifo(self.repository.absolute("models/small.txt"), 0o600) == 0)
        let error = #expect(throws: MartletError.self) { try source.read(entry.object, limit: 100) }
        #expect(error?.code == "FileUnreadable")
    }

    @Test("A file that goes after it was listed is named with the reason")
    func removedWhenListed() throws {
        let source = try self.source()
        _ = try source.entry(at: "a.yaml", in: WorkTreeSource.id)
        try self.repository.remove("models/small.txt")
        let error = #expect(throws: MartletError.self) {
            try source.entry(at: "models/small.txt", in: WorkTreeSource.id)
        }
        #expect(error?.code == "FileUnreadable")
        #expect(error?.description.contains("No such file") == true, "\(error as Any)")
    }

    @Test("Content is read by id, up to the limit")
    func reads() throws {
        let source = try self.source()
        let entry = try #require(try source.entry(at: "models/big.bin", in: WorkTreeSource.id))
        #expect(try source.size(of: entry.object) == 3 << 20)
        #expect(try source.read(entry.object, limit: 3 << 20).count == 3 << 20)
        let error = #expect(throws: MartletError.self) { try source.read(entry.object, limit: 100) }
        #expect(error?.code == "BlobTooLarge")
        let copy = self.repository.absolute("copy.bin")
        try source.export(entry.object, to: copy, limit: 3 << 20)
        #expect(
            try WorkTreeSource(root: self.repository.path).entry(at: "copy.bin", in: WorkTreeSource.id)?.object
                == entry.object
        )
    }

    @Test("Without commits, what is no file of it is not there, and what another source says of that counts")
    func readsNothingElse() throws {
        let source = try self.source()
        let object = MemoryRepository.id("elsewhere")
        let copy = self.repository.absolute("copy")
        let readings: [(any SourceRepository) throws -> Void] = [
            { _ = try $0.size(of: object) }, { _ = try $0.read(object, limit: 100) },
            { try $0.export(object, to: copy, limit: 100) },
        ]
        for read in readings {
            let error = #expect(throws: MartletError.self) { try read(source) }
            #expect(error?.code == "ObjectNotFound")
            #expect(error?.message.contains("is no file of '\(self.repository.path)'") == true, "\(error as Any)")
        }
        let commits = #expect(throws: MartletError.self) { try source.resolve("main") }
        #expect(commits?.message.contains("it has no commits") == true, "\(commits as Any)")

        var damaged = MemoryRepository([:])
        damaged.damage = MartletError("ObjectCorrupt", "object \(object) is damaged")
        let members: [(name: String, repository: any SourceRepository)] = [("a", source), ("b", damaged)]
        let set = SourceSet(
            members.map { .init(name: $0.name, repository: $0.repository, location: "", ref: "main", path: "") }
        )
        let error = #expect(throws: MartletError.self) { try set.read(object, limit: 100) }
        #expect(error?.code == "ObjectCorrupt", "\(error as Any)")
    }

    @Test("Changes are told against a commit")
    func changes() throws {
        let commits = MemoryRepository(["HEAD": ["a.yaml": "a: 1\n", "gone.yaml": "x", "models/small.txt": "other\n"]])
        let source = try WorkTreeSource(root: self.repository.path, repository: commits)
        let changes = try source.changes(from: MemoryRepository.id("HEAD"), to: WorkTreeSource.id, under: "")
        #expect(!changes.changed.map(\.path).contains("a.yaml"))
        #expect(changes.changed.map(\.path).contains("models/small.txt"))
        #expect(changes.removed == ["gone.yaml"])
        let below = try source.changes(from: MemoryRepository.id("HEAD"), to: WorkTreeSource.id, under: "models")
        #expect(below.changed.map(\.path) == ["models/big.bin", "models/link.txt", "models/small.txt"])
        #expect(throws: MartletError.self) { try source.changes(from: nil, to: WorkTreeSource.id, under: "nope") }
    }

    @Test(
        "What is listed must be a folder",
        arguments: [
            ("deep", "PathNotAFolder", "'deep' is a link, not a folder"),
            ("a.yaml", "PathNotAFolder", "'a.yaml' is a file, not a folder"),
            ("gone", "PathNotFound", "there is no folder 'gone'"), ("deep/x", "PathNotFound", "no folder 'deep/x'"),
        ]
    )
    func listsFoldersOnly(path: String, code: String, words: String) throws {
        let source = try self.source()
        let error = #expect(throws: MartletError.self) { try source.files(below: path, in: WorkTreeSource.id) }
        #expect(error?.code == code && error?.message.contains(words) == true, "\(error as Any)")
    }

    @Test("Names that are no UTF-8 are listed as those of a commit are, and what they name is read")
    func namesThatAreNoText() throws {
        let folder = Array(self.repository.absolute("caf").utf8) + [0xE9]
        #expect(mkdir(folder.map { CChar(bitPattern: $0) } + [0], 0o700) == 0)
        let name = folder + Array("/b".utf8) + [0xFF] + Array("d.yaml".utf8)
        let file = try #require(fopen(name.map { CChar(bitPattern: $0) } + [0], "w"))
        fputs("a: 2\n", file)
        fclose(file)
        let source = try self.source()
        let entries = try source.files(below: "", in: WorkTreeSource.id)
        let entry = try #require(entries.first { $0.path == "caf\u{FFFD}/b\u{FFFD}d.yaml" })
        #expect(try source.read(entry.object, limit: 100) == Array("a: 2\n".utf8))
    }

    @Test("The work tree is listed once, when it is first asked for")
    func listsLazily() throws {
        let commits = MemoryRepository(["HEAD": ["a.yaml": "a: 1\n"]])
        let source = try WorkTreeSource(root: self.repository.path, repository: commits)
        let commit = MemoryRepository.id("HEAD")
        #expect(try source.changes(from: nil, to: commit, under: "").changed.map(\.path) == ["a.yaml"])
        try self.repository.write("late.yaml", "a: 1\n")
        #expect(try source.entry(at: "late.yaml", in: WorkTreeSource.id)?.kind == .file)
        try self.repository.write("later.yaml", "a: 1\n")
        #expect(try source.entry(at: "later.yaml", in: WorkTreeSource.id) == nil)
    }

    @Test("A folder that is not there is refused at once")
    func refusesRoot() throws {
        let error = #expect(throws: MartletError.self) {
            try WorkTreeSource(root: self.repository.absolute("a.yaml"))
        }
        #expect(error?.code == "FolderNotFound")
    }

    @Test("What git ignores is left out, unless it is committed already; so are git's own files and other repositories")
    func ignores() throws {
        try self.repository.write(".gitignore", "*.txt\n")
        try self.repository.write("other/.git/HEAD", "ref: refs/heads/main\n")
        try self.repository.write("other/inner.yaml", "a: 1\n")
        let commits = MemoryRepository(["HEAD": ["models/small.txt": "small\n"]])
        let source = try WorkTreeSource(root: self.repository.path, repository: commits)
        let paths = try source.files(below: "", in: WorkTreeSource.id).map(\.path)
        #expect(
            paths == [".gitignore", "a.yaml", "back", "deep", "loop", "models/big.bin", "models/small.txt", "other"]
        )
        #expect(try source.entry(at: "other", in: WorkTreeSource.id)?.kind == .submodule)
    }
}
