internal import Foundation
internal import TestSupport

extension TemporaryRepository {
    /// A repository with one of the project's examples, committed.
    convenience init(ofExample name: String) throws {
        try self.init()
        let example = "\(Executable.repository)Examples/\(name)"
        for item in try FileManager.default.contentsOfDirectory(atPath: example) {
            try FileManager.default.copyItem(atPath: "\(example)/\(item)", toPath: self.absolute(item))
        }
        try self.commit("Serve the example '\(name)'")
    }
}
