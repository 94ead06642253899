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
    /// A new folder appears with all of them or not at all. Throws `FolderNotEmpty` when it holds anything, unless files
    /// may be replaced there; then what else it holds stays.
    func write(below folder: String, replacing: Bool) throws -> [String] {
        let files = try self.manifests.map {
            (path: ExportedManifests.path(of: $0.identity), text: try Rendering.yaml($0) + "\n")
        }
        let target = NewFolder(folder)
        let names = try target.names() ?? []
        guard names.isEmpty || replacing else {
            let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
            throw MartletError(
                "FolderNotEmpty",
                "nothing was written, since '\(folder)' is not empty (\(shown)): choose a new folder, or say --force to "
                    + "replace files there and keep the others"
            )
        }
        try target.write(files)
        return files.map(\.path)
    }

    /// Names and namespaces are labels, so that no path leads elsewhere.
    private static func path(of identity: ResourceIdentity) -> String {
        "\(identity.namespace)/\(identity.kind.plural)/\(identity.name).yaml"
    }
}
