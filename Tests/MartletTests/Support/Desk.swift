internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport

/// A git repository that holds a copy of Examples/desk.
struct Desk: Sendable {
    /// A question whose answer depends on the reply template.
    static let question = "How long can I return my sofa?"
    /// A message that the chain answers with the formal adapter.
    static let complaint = "Good morning. What a terrible service. Screws are missing from our Elmira bar stool."

    static let model = "models/deskhand-v2.gguf"

    let repository: TemporaryRepository

    /// The example with its first commit.
    init() throws {
        self.repository = try TemporaryRepository()
        let example = "\(Executable.repository)Examples/desk"
        for name in try FileManager.default.contentsOfDirectory(atPath: example) {
            try FileManager.default.copyItem(atPath: "\(example)/\(name)", toPath: self.repository.absolute(name))
        }
        try self.repository.commit("Serve the support desk")
    }

    /// Replaces a text that a file must contain.
    func edit(_ path: String, _ old: String, _ new: String) throws {
        let text = try String(contentsOfFile: self.repository.absolute(path), encoding: .utf8)
        guard text.contains(old) else { throw MartletError("EditFailed", "\(path) does not contain '\(old)'") }
        try self.repository.write(path, text.replacing(old, with: new))
    }

    /// Edits a file and commits it.
    @discardableResult
    func commit(_ path: String, _ old: String, _ new: String) throws -> ObjectID {
        try self.edit(path, old, new)
        return try self.repository.commit("Change \(path)")
    }

    /// Commits a reply template that names another return window.
    @discardableResult
    func commit(returnWindow days: Int) throws -> ObjectID {
        let path = "prompts/reply.yaml"
        let text = try String(contentsOfFile: self.repository.absolute(path), encoding: .utf8)
        let changed = text.replacing(/The return window is \d+ days\./, with: "The return window is \(days) days.")
        try self.repository.write(path, changed)
        return try self.repository.commit("Returns: \(days) days")
    }

    /// The bytes of a file of the work tree.
    func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: self.repository.absolute(path))))
    }
}
