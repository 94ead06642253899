internal import Foundation
internal import Planning
internal import Schema

/// Manifests as texts and as files.
struct ExportedManifests {
    private let manifests: [ManifestView]

    /// Takes manifests, and puts them into one order.
    init(_ manifests: [ManifestView]) {
        // What came through overlays stands for itself here; with the overlays it would come twice.
        self.manifests = manifests.filter { $0.identity.kind != .overlay }.sorted { $0.identity < $1.identity }
    }

    /// All of them as documents of one file.
    func text() throws -> String {
        try self.manifests.map { try Rendering.yaml($0) }.joined(separator: "\n---\n")
    }

    /// Writes each into a file of its own below a folder, `namespace/kinds/name.yaml`, and gives their paths.
    ///
    /// Throws `FilesExist` when one of them is there already and may not be replaced; then nothing is written.
    func write(below folder: String, replacing: Bool) throws -> [String] {
        let root = URL(filePath: folder, directoryHint: .isDirectory)
        let files = self.manifests.map { (path: ExportedManifests.path(of: $0.identity), manifest: $0) }
        let taken = files.map(\.path).filter {
            FileManager.default.fileExists(atPath: root.appending(path: $0).path(percentEncoded: false))
        }
        guard replacing || taken.isEmpty else {
            throw MartletError(
                "FilesExist",
                "nothing was written, since these are there already: \(taken.prefix(10).joined(separator: ", ")); choose "
                    + "another folder, or replace them with --force"
            )
        }
        for (path, manifest) in files {
            let file = root.appending(path: path)
            do {
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data((try Rendering.yaml(manifest) + "\n").utf8).write(to: file, options: .atomic)
            } catch let error as CocoaError {
                throw MartletError(
                    "FileNotWritten",
                    "'\(file.path(percentEncoded: false))' cannot be written",
                    cause: error
                )
            }
        }
        return files.map(\.path)
    }

    /// Names and namespaces are labels, so that no path leads elsewhere.
    private static func path(of identity: ResourceIdentity) -> String {
        "\(identity.namespace)/\(identity.kind.plural)/\(identity.name).yaml"
    }
}
