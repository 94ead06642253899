internal import Foundation
package import Planning
package import Schema

/// Finds and reads the artifacts that the manifests of one commit name.
package struct CommitArtifacts: Sendable {
    /// The most bytes of a dataset whose rows become few-shot examples.
    private static let datasetLimit: Int64 = 64 << 20

    private let repository: any SourceRepository
    private let commit: ObjectID

    package init(repository: any SourceRepository, commit: ObjectID) {
        self.repository = repository
        self.commit = commit
    }

    /// The identity and size of a source's bytes, which are not read.
    ///
    /// Throws `ArtifactMissing`, what the repository says of a path that leads nowhere or out of it, and
    /// `SourceUnavailable` for schemes that cannot be fetched.
    package func find(_ source: ModelSpec.Source) throws -> Artifact {
        guard let colon = source.uri.range(of: "://") else {
            return try self.findInRepository(source.uri)
        }
        guard source.uri[..<colon.lowerBound] == "file" else {
            throw MartletError(
                "SourceUnavailable",
                "'\(source.uri)' cannot be fetched in this version; put the file into the repository, or name it by "
                    + "file:///"
            )
        }
        return try CommitArtifacts.findFile(String(source.uri[colon.upperBound...]), sha256: source.sha256)
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

    private func findInRepository(_ path: String) throws -> Artifact {
        let entry = try self.repository.resolvedEntry(at: path, in: self.commit)
        guard entry.kind == .file else {
            throw MartletError("ArtifactMissing", "'\(path)' is a \(entry.kind.rawValue) of the repository, not a file")
        }
        return Artifact(
            location: .repository(path: path, blob: entry.object),
            size: try self.repository.size(of: entry.object)
        )
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
