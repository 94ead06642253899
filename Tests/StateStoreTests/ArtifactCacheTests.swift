import Foundation
import Glibc
import Planning
import Schema
import TestSupport
import Testing

@testable import StateStore

@Suite(.timeLimit(.minutes(1)))
struct ArtifactCacheTests {
    let folder: TemporaryFolder
    let outside: TemporaryFolder
    let source = BlobSource()

    init() throws {
        self.folder = try TemporaryFolder()
        self.outside = try TemporaryFolder()
    }

    private func cache() -> ArtifactCache {
        ArtifactCache(folder: self.folder.path, repository: self.source)
    }

    /// An artifact of a file outside, whose digest is that of `promised`, or of what is written.
    private func file(_ name: String, _ text: String, promised: String? = nil) throws -> Artifact {
        try self.outside.write(name, Array(text.utf8))
        let digest = Digest(of: (promised ?? text).utf8)
        return Artifact(location: .file(path: self.outside.file(name), sha256: digest), size: nil)
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    @Test("a blob becomes a read-only file named by its id, made once")
    func blob() async throws {
        let artifact = self.source.add("hello\n")
        #expect(artifact.identity == "git:ce013625030ba8dba906f756967f9e9ca394464a")
        let cache = self.cache()
        let path = try await cache.materialise(artifact)
        #expect(path == self.folder.file("git-ce013625030ba8dba906f756967f9e9ca394464a"))
        #expect(try self.text(path) == "hello\n")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o400)
        #expect(try await cache.materialise(artifact) == path)
        #expect(self.source.exports == 1)
    }

    @Test("a file of this machine is copied when its SHA-256 is right", arguments: [0, 1, 1 << 20, 3_000_001])
    func localFile(size: Int) async throws {
        let content = String(repeating: "x", count: size)
        let path = try await self.cache().materialise(try self.file("model", content))
        #expect(path == self.folder.file("sha256-\(Digest(of: content.utf8))"))
        #expect(try self.text(path) == content)
        #expect(try self.folder.names().count == 1)
    }

    @Test("a wrong digest, a missing file, a folder and a pipe are refused and leave nothing behind")
    func refusals() async throws {
        let wrong = try self.file("model", "what is there", promised: "what was promised")
        mkfifo(self.outside.file("pipe"), 0o600)
        let digest = Digest(of: [])
        let cases: [(Artifact, String)] = [
            (wrong, "DigestMismatch"),
            (Artifact(location: .file(path: self.outside.file("none"), sha256: digest), size: nil), "ArtifactMissing"),
            (Artifact(location: .file(path: self.outside.path, sha256: digest), size: nil), "ArtifactUnreadable"),
            (
                Artifact(location: .file(path: self.outside.file("pipe"), sha256: digest), size: nil),
                "ArtifactUnreadable"
            ),
            (Artifact(location: .repository(path: "m", blob: "../../evil"), size: nil), "ArtifactMissing"),
            (
                Artifact(location: .repository(path: "m", blob: String(repeating: "0", count: 40)), size: 1),
                "ObjectNotFound"
            ),
        ]
        for (artifact, code) in cases {
            let error = await #expect(throws: MartletError.self) { try await self.cache().materialise(artifact) }
            #expect(error?.code == code)
        }
        #expect(try self.folder.names().isEmpty)
    }

    @Test("a cached file outlives its source")
    func withoutSource() async throws {
        let (blob, file) = (self.source.add("blob"), try self.file("model", "file"))
        _ = try await self.cache().materialise(blob)
        _ = try await self.cache().materialise(file)
        self.source.removeAll()
        unlink(self.outside.file("model"))
        let later = self.cache()
        #expect(try self.text(try await later.materialise(blob)) == "blob")
        #expect(try self.text(try await later.materialise(file)) == "file")
    }

    enum Damage: CaseIterable {
        case cutShort
        case sameSize
        case replacedByLink
    }

    @Test(
        "a damaged file is noticed and made anew, in the same process and in the next",
        arguments: Damage.allCases,
        [true, false]
    )
    func damage(kind: Damage, isSameProcess: Bool) async throws {
        for artifact in [self.source.add("content of a blob"), try self.file("model", "content of a file")] {
            let first = self.cache()
            let path = try await first.materialise(artifact)
            let content = try self.text(path)
            chmod(path, 0o600)
            switch kind {
            case .cutShort: truncate(path, 4)
            case .sameSize: try Data(content.utf8.map { $0 ^ 1 }).write(to: URL(fileURLWithPath: path))
            case .replacedByLink:
                rename(path, self.outside.file("moved"))
                symlink(self.outside.file("moved"), path)
            }
            let again = try await (isSameProcess ? first : self.cache()).materialise(artifact)
            #expect(again == path)
            #expect(try self.text(path) == content)
            #expect(FileStamp(path: path) != nil, "an ordinary file again")
        }
    }

    @Test("concurrent callers for one artifact cause one export")
    func singleFlight() async throws {
        let artifact = self.source.add("big")
        let cache = self.cache()
        let name = try CachedContent(artifact).name
        self.source.hold()
        let paths = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try await cache.materialise(artifact) } }
            while cache.flights.waiting(for: name) < 7 { await Task.yield() }
            self.source.release()
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(paths.count == 1)
        #expect(self.source.exports == 1)
    }

    @Test("a waiting caller that is cancelled goes at once; the others are served")
    func cancelledWaiter() async throws {
        let artifact = self.source.add("big")
        let cache = self.cache()
        let name = try CachedContent(artifact).name
        self.source.hold()
        let first = Task { try await cache.materialise(artifact) }
        while self.source.exports < 1 { await Task.yield() }
        let second = Task { try await cache.materialise(artifact) }
        while cache.flights.waiting(for: name) < 1 { await Task.yield() }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        self.source.release()
        #expect(try self.text(try await first.value) == "big")
    }

    @Test("a cancelled copy stops and leaves nothing behind")
    func cancelledCopy() async throws {
        let artifact = try self.file("model", "content")
        let cache = self.cache()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await cache.materialise(artifact)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try self.folder.names().isEmpty)
    }

    @Test("pruning keeps what is named and what it does not know")
    func pruning() async throws {
        let (kept, gone) = (self.source.add("kept"), self.source.add("gone"))
        let file = try self.file("model", "gone too")
        let cache = self.cache()
        for artifact in [kept, gone, file] { _ = try await cache.materialise(artifact) }
        try self.folder.write("README", [1])
        await cache.prune(keeping: [kept])
        #expect(try self.folder.names() == ["README", try CachedContent(kept).name])
        #expect(try self.text(try await cache.materialise(gone)) == "gone")
    }

    @Test("what a killed process left unfinished is swept up")
    func unfinished() throws {
        try self.folder.write("git-ce01.abc.unfinished", [1])
        _ = self.cache()
        #expect(try self.folder.names().isEmpty)
    }
}
