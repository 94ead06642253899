import Foundation

/// Files of tests.
enum Files {
    static func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(filePath: path))
    }

    static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// Gives back the right to write to all folders of a tree, without which nothing in them can be removed.
    static func open(_ folder: String) {
        for name in [""] + (FileManager.default.subpaths(atPath: folder) ?? []) {
            try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: "\(folder)/\(name)")
        }
    }
}
