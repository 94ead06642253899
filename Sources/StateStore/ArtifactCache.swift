internal import Foundation
internal import Glibc
package import Planning
internal import Schema
internal import Synchronization

/// Verified artifacts as read-only files of one folder, named by their content.
///
/// Whatever is handed out was hashed in this process and has not been touched since; a file that was cut short or
/// changed is thrown away and made anew. Each file appears whole or not at all.
package final class ArtifactCache: ArtifactStore {
    private let folder: String
    private let repository: any SourceRepository
    private let operations: FileOperations
    let flights = SingleFlight()
    /// By name, what the files that were hashed looked like then.
    private let verified = Mutex<[String: FileStamp]>([:])

    /// Takes an existing folder that nobody else writes to, and the repository that blobs come from.
    package init(folder: String, repository: any SourceRepository, operations: FileOperations = .system) {
        self.folder = folder
        self.repository = repository
        self.operations = operations
        for file in self.files() where file.hasSuffix(".unfinished") { unlink(self.path(file)) }
    }

    /// Makes the file, unless it is there: concurrent callers for one artifact wait for the first of them.
    ///
    /// Throws `ArtifactMissing`, `ArtifactUnreadable`, `DigestMismatch`, `FileNotWritten`, and what the repository
    /// throws.
    package func materialise(_ artifact: Artifact) async throws -> String {
        let content = try CachedContent(artifact)
        return try await self.flights.run(content.name) {
            try await BlockingWork.run { stop in
                try stop.check()
                let path = self.path(content.name)
                if try self.isVerified(content, at: path, stop) { return path }
                try self.make(artifact, content, at: path, stop)
                return path
            }
        }
    }

    /// Removes the files of other artifacts; a file that a process has open stays readable there.
    package func prune(keeping artifacts: [Artifact]) async {
        let kept = Set(artifacts.compactMap { try? CachedContent($0).name })
        for file in self.files() where file.hasPrefix("git-") || file.hasPrefix("sha256-") {
            let name = String(file.prefix { $0 != "." })
            guard !kept.contains(name) else { continue }
            // Cancelled while it waits, a prune has simply done less; the next one does the rest.
            try? await self.flights.run(name) {
                self.verified.withLock { $0[name] = nil }
                await BlockingWork.run { _ in try? self.operations.remove(self.path(file)) }
            }
        }
    }

    private func isVerified(_ content: CachedContent, at path: String, _ stop: StopFlag) throws -> Bool {
        guard let stamp = FileStamp(path: path) else { return false }
        if self.verified.withLock({ $0[content.name] }) == stamp { return true }
        guard content.size.map({ $0 == stamp.size }) ?? true else { return false }
        guard try VerifiedFile.hash(path, as: content, stop: stop) == content.hash else { return false }
        self.remember(content, stamp)
        return true
    }

    private func make(_ artifact: Artifact, _ content: CachedContent, at path: String, _ stop: StopFlag) throws {
        // Somebody may have removed the folder to make room; where it cannot be made, nothing can be written either.
        try? self.operations.makeFolder(self.folder)
        switch artifact.location {
        case .repository(_, let blob):
            // The object database hashes what it reads.
            try self.repository.export(blob, to: path, limit: artifact.size ?? .max)
            try VerifiedFile.writing(path) { () throws(FileFailure) in
                do throws(FileFailure) {
                    try self.operations.changeMode(path, to: 0o400)
                } catch {
                    unlink(path)
                    throw error
                }
            }
        case .file(let source, _):
            try VerifiedFile.copy(source, to: path, as: content, stop: stop, self.operations)
        }
        self.remember(content, FileStamp(path: path))
    }

    private func remember(_ content: CachedContent, _ stamp: FileStamp?) {
        self.verified.withLock { $0[content.name] = stamp }
    }

    private func path(_ file: String) -> String { "\(self.folder)/\(file)" }

    private func files() -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []
    }
}
