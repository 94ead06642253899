import Foundation
import Planning
import Schema
import TestSupport
import Testing

@testable import StateStore

/// Every call that changes a file of the state directory fails once, in turn: nothing wrong stays behind.
struct FileFaultTests {
    private let folder: TemporaryFolder
    private let source = BlobSource()

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// Runs a story with each call failing once; returns how many calls it makes.
    private func failingOnce(_ story: (CountedFault) async throws -> Void) async throws -> Int {
        for failing in 1...50 {
            let fault = CountedFault(failing)
            try await story(fault)
            guard fault.hasFired else { return failing - 1 }
        }
        return .max
    }

    @Test("an artifact is there whole or not at all, and comes when it is tried again", arguments: [true, false])
    func artifacts(isBlob: Bool) async throws {
        let text = String(repeating: "model", count: 500_000)
        try self.folder.write("model", Array(text.utf8))
        let digest = Digest(of: text.utf8)
        let artifact =
            isBlob
            ? self.source.add(text)
            : Artifact(location: .file(path: self.folder.file("model"), sha256: digest), size: nil)
        let name = try CachedContent(artifact).name
        let calls = try await self.failingOnce { fault in
            let cached = self.folder.file("cache")
            try? FileManager.default.removeItem(atPath: cached)
            let cache = ArtifactCache(folder: cached, repository: self.source, operations: fault.files)
            do {
                _ = try await cache.materialise(artifact)
            } catch let error as MartletError {
                #expect(error.code == "FileNotWritten" && error.disposition == .retryable, "\(error)")
                #expect((try? self.names(in: cached)) ?? [] == [])
            } catch is CocoaError where isBlob {
                // The repository has no folder to write into.
            }
            let path = try await cache.materialise(artifact)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o400)
            #expect(try self.names(in: cached) == [name])
        }
        #expect((2...49).contains(calls), "\(calls)")
    }

    @Test("an artifact that could not be pruned is still what it was, and goes with the next prune")
    func pruning() async throws {
        let artifact = self.source.add("gone")
        let calls = try await self.failingOnce { fault in
            let cached = self.folder.file("cache")
            let path = try await ArtifactCache(folder: cached, repository: self.source).materialise(artifact)
            let cache = ArtifactCache(folder: cached, repository: self.source, operations: fault.files)
            await cache.prune(keeping: [])
            #expect(FileManager.default.fileExists(atPath: path) == fault.hasFired)
            let next = ArtifactCache(folder: cached, repository: self.source)
            #expect(try await next.materialise(artifact) == path)
            await next.prune(keeping: [])
            #expect(try self.names(in: cached) == [])
        }
        #expect((1...49).contains(calls), "\(calls)")
    }

    @Test("a state directory that could not be made is made the next time, and nobody holds its lock meanwhile")
    func stateDirectory() async throws {
        let paths = try StatePaths(root: self.folder.file("a/state"))
        let calls = try await self.failingOnce { fault in
            try? FileManager.default.removeItem(atPath: self.folder.file("a"))
            do {
                _ = try StateDirectory(paths, files: fault.files)
            } catch let error as MartletError {
                #expect(error.code == "StateDirectoryNotWritable", "\(error)")
            }
            let directory = try StateDirectory(paths)
            #expect(try self.names(in: paths.root) == ["artifacts", "lock", "run"])
            for path in [paths.root, paths.run, paths.artifacts] {
                #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
            }
            withExtendedLifetime(directory) {}
        }
        #expect((4...49).contains(calls), "\(calls)")
    }
}
