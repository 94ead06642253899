internal import Foundation
internal import ManifestYAML
internal import Schema

/// A file outside of the repository that holds policies and nothing else.
enum PolicyFile {
    /// Reads the policies of a file. Throws `PolicyUnreadable` with everything that is wrong: a controller that began
    /// without one of its policies would allow what it forbids.
    static func read(_ path: String, namespace: String) throws -> [Resource] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw MartletError("PolicyUnreadable", "the file of policies '\(path)' cannot be read")
        }
        let file = ManifestReader(defaultNamespace: namespace).read(Array(data), path: path)
        var problems = file.diagnostics.filter { $0.severity == .error }.map(\.description)
        problems += file.resources.filter { $0.identity.kind != .policy }.map {
            "\($0.location): error: \($0.identity) is no Policy; only policies count in this file"
        }
        if file.resources.isEmpty, problems.isEmpty { problems.append("\(path): error: it declares no Policy") }
        guard problems.isEmpty else {
            throw MartletError("PolicyUnreadable", "the policies cannot be used:\n" + problems.joined(separator: "\n"))
        }
        return file.resources
    }
}
