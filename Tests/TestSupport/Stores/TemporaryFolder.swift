internal import Foundation

/// An empty folder for one test, reached by its real path; it goes when the last reference goes.
package final class TemporaryFolder: Sendable {
    /// Absolute, without symbolic links.
    package let path: String

    package init() throws {
        let folder = FileManager.default.temporaryDirectory
            .resolvingSymlinksInPath()
            .appendingPathComponent("martlet-\(UUID().uuidString)")
        let onlyMine: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: onlyMine)
        self.path = folder.path
    }

    deinit {
        // A folder that cannot be removed is left to the system's own cleaning of temporary files.
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// The absolute path of something in the folder.
    package func file(_ name: String) -> String {
        "\(self.path)/\(name)"
    }

    /// Writes a file.
    package func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: self.file(name)))
    }

    /// The bytes of a file.
    package func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: self.file(name))))
    }

    /// The names of what is in the folder, sorted.
    package func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.path).sorted()
    }
}
