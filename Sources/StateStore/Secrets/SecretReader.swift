internal import Foundation
package import Schema

/// Finds the secrets that manifests and options only name.
package struct SecretReader: Sendable {
    /// The most bytes of a secret: an SSH key or a token has far fewer.
    static let longest = 64 << 10

    private let environment: [String: String]
    private let folder: String

    /// - Parameter folder: The controller's secrets directory, where `fromFile` without a `/` is looked for.
    package init(environment: [String: String], folder: String) {
        self.environment = environment
        self.folder = folder
    }

    /// The secret's bytes, at least one, without the line break at a file's end.
    ///
    /// Throws `SecretMissing`, or `SecretExposed` for a file that others can read. No message repeats a secret.
    package func read(_ reference: SecretReference) throws -> [UInt8] {
        if let name = reference.fromEnv {
            guard let value = self.environment[name], !value.isEmpty else {
                throw MartletError("SecretMissing", "the environment variable \(name) is not set, or empty")
            }
            return Array(value.utf8)
        }
        guard reference.fromFile != nil else {
            throw MartletError("SecretMissing", "a secret is named by fromEnv or by fromFile")
        }
        return try self.readFile(self.path(of: reference))
    }

    /// Where the file of a secret is; empty for one that is not in a file.
    package func path(of reference: SecretReference) -> String {
        guard let name = reference.fromFile else { return "" }
        return name.contains("/") ? name : "\(self.folder)/\(name)"
    }

    private func readFile(_ path: String) throws -> [UInt8] {
        // Opened first and asked then, so that no other file can take its place in between.
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw MartletError("SecretMissing", "the secret's file \(path) cannot be opened: \(Self.lastProblem)")
        }
        defer { try? handle.close() }
        var status = stat()
        guard fstat(handle.fileDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw MartletError("SecretMissing", "the secret's path \(path) is no file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw MartletError("SecretExposed", "others can read the secret's file \(path): chmod 600 it")
        }
        var bytes = try handle.read(upToCount: Self.longest + 1).map { Array($0) } ?? []
        guard bytes.count <= Self.longest else {
            throw MartletError("SecretMissing", "the secret's file \(path) has more than \(Self.longest) bytes")
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw MartletError("SecretMissing", "the secret's file \(path) is empty") }
        return bytes
    }

    private static var lastProblem: String { String(cString: strerror(errno)) }
}
