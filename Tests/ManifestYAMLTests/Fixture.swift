internal import Foundation
internal import ManifestYAML
internal import Schema

/// The files beside these tests.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

    /// The names of the files of a folder with this ending, without it, sorted.
    static func names(in folder: String, ending: String) -> [String] {
        let path = self.folder.appendingPathComponent(folder).path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }.sorted()
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: self.folder.appendingPathComponent(path)))
    }

    static func read(_ text: String, path: String = "a.yaml") -> ManifestFile {
        ManifestReader().read(Array(text.utf8), path: path)
    }
}

extension ManifestFile {
    /// `line:column: severity: message`, as a reader of a terminal sees it after the path.
    var report: [String] {
        self.diagnostics.map { String($0.description.dropFirst($0.location.path.count + 1)) }
    }
}
