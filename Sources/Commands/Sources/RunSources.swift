internal import Foundation
internal import ManifestYAML
package import Schema

/// The repositories that a file of sources names.
package struct RunSources: Sendable, Hashable {
    /// The folder of the file: relative paths in it begin there.
    package var folder: String
    /// At least one.
    package var sources: [SourceSpec]

    package init(folder: String, sources: [SourceSpec]) {
        self.folder = folder
        self.sources = sources
    }

    /// Reads a file. Throws `SourcesInvalid` with every error of it, a line each.
    package init(path: String) throws {
        let url = URL(filePath: path).standardizedFileURL
        guard let data = FileManager.default.contents(atPath: url.path) else {
            throw MartletError("SourcesInvalid", "the file of sources '\(path)' cannot be read")
        }
        let (file, diagnostics) = SourcesFileReader.read(Array(data), path: path)
        guard let file else {
            throw MartletError("SourcesInvalid", diagnostics.map(\.description).joined(separator: "\n"))
        }
        self.init(folder: url.deletingLastPathComponent().path, sources: file.sources)
    }
}
