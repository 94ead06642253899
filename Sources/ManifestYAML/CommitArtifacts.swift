internal import Foundation
package import Planning
package import Schema
internal import Synchronization

/// Finds and reads the artifacts that the manifests of one commit name.
package struct CommitArtifacts: Sendable {
    /// The most bytes of a dataset whose rows become few-shot examples.
    private static let datasetLimit: Int64 = 64 << 20

    let repository: any SourceRepository
    let commit: ObjectID
    private let digests: BlobDigests
    /// Whose paths are meant, where there are several sources.
    private var source: String?

    /// - Parameter digests: What is known of blobs already; shared, it spares commits to hash the same blob again.
    package init(repository: any SourceRepository, commit: ObjectID, digests: BlobDigests = BlobDigests()) {
        self.repository = repository
        self.commit = commit
        self.digests = digests
    }

    /// The same, for the paths that the manifests of one of several sources name; nil where there is one.
    func of(_ source: String?) -> CommitArtifacts {
        var artifacts = self
        artifacts.source = source
        return artifacts
    }

    /// A path that a manifest names, as the repository knows it.
    func place(of path: String) -> String {
        self.source.map { "\(SourcePath($0, path))" } ?? path
    }

    /// The identity and size of a source's bytes, which are read only where the repository's have a declared `sha256`.
    ///
    /// Throws `ArtifactMissing`, `DigestMismatch`, what the repository says of a path that leads nowhere or out of it, and
    /// `SourceUnavailable` for schemes that cannot be fetched.
    package func find(_ source: ModelSpec.Source) throws -> FoundArtifact {
        switch source.location {
        case .repository(let path):
            return try self.findInRepository(path, sha256: source.sha256)
        case .file(let path):
            return FoundArtifact(try CommitArtifacts.findFile(path, sha256: source.sha256), file: nil)
        case .remote:
            throw MartletError(
                "SourceUnavailable",
                "'\(source.uri)' cannot be fetched in this version; put the file into the repository, or name it by "
                    + "file:///"
            )
        case nil:
            throw MartletError("ArtifactMissing", "'\(source.uri)' must be \(TextFormat.artifact.expectation)")
        }
    }

    /// The bytes of a small artifact, such as a dataset.
    package func read(_ artifact: Artifact) throws -> [UInt8] {
        switch artifact.location {
        case .repository(_, let blob):
            return try self.repository.read(blob, limit: CommitArtifacts.datasetLimit)
        case .file(let path, let sha256):
            guard let data = FileManager.default.contents(atPath: path) else {
                throw MartletError("ArtifactMissing", "the file \(path) cannot be read")
            }
            guard Digest(of: data) == sha256 else {
                throw MartletError("DigestMismatch", "the file \(path) is not the one whose sha256 is \(sha256)")
            }
            return Array(data)
        }
    }

    /// A blob's id stands for its bytes from here on, so that a declared digest is as good as checked before each use.
    private func findInRepository(_ path: String, sha256: String?) throws -> FoundArtifact {
        let path = self.place(of: path)
        let entry = try self.repository.resolvedEntry(at: path, in: self.commit)
        guard entry.kind == .file else {
            throw MartletError("ArtifactMissing", "'\(path)' is a \(entry.kind.rawValue) of the repository, not a file")
        }
        if let declared = sha256.flatMap({ Digest(hex: $0) }) {
            let actual = try self.digests.digest(of: entry.object) {
                Digest(of: try self.repository.read(entry.object, limit: .max))
            }
            guard actual == declared else {
                throw MartletError(
                    "DigestMismatch",
                    "'\(path)' of the repository has the sha256 \(actual.hex), not the one that is declared"
                )
            }
        }
        let artifact = Artifact(
            location: .repository(path: path, blob: entry.object),
            size: try self.repository.size(of: entry.object)
        )
        // Where links were followed, the file is called otherwise.
        return FoundArtifact(artifact, file: entry.path == path ? path : nil)
    }

    /// When a file of the machine was written last, or nil.
    static func modificationTime(of path: String) -> Timestamp? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date)
            .map { Timestamp(milliseconds: Int64($0.timeIntervalSince1970 * 1000)) }
    }

    private static func findFile(_ path: String, sha256: String?) throws -> Artifact {
        guard let sha256 = sha256.flatMap({ Digest(hex: $0) }) else {
            throw MartletError("DigestMissing", "'file://\(path)' needs its sha256 beside it")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let attributes, attributes[.type] as? FileAttributeType == .typeRegular else {
            throw MartletError("ArtifactMissing", "there is no file \(path) on this machine")
        }
        return Artifact(
            location: .file(path: path, sha256: sha256),
            size: (attributes[.size] as? NSNumber)?.int64Value
        )
    }
}

/// The SHA-256 digests of git blobs, each computed once.
package final class BlobDigests: Sendable {
    private let known = Mutex<[ObjectID: Digest]>([:])

    package init() {}

    func digest(of blob: ObjectID, _ compute: () throws -> Digest) rethrows -> Digest {
        if let known = self.known.withLock({ $0[blob] }) { return known }
        let digest = try compute()
        self.known.withLock { $0[blob] = digest }
        return digest
    }
}
