internal import Foundation
internal import Schema

/// What an engine's build wrote down beside its library, in `engine.json`.
struct EngineManifest: Codable {
    var name: String
    /// What the engine was built from.
    var source: String?
    /// The CPU features that the library uses, as `/proc/cpuinfo` spells them.
    var cpuFlags: [String]

    /// Reads the manifest beside a library; nil when there is none. Throws when it cannot be understood.
    static func beside(_ library: String) throws -> EngineManifest? {
        let path = URL(filePath: library).deletingLastPathComponent().appending(path: "engine.json")
        guard let data = try? Data(contentsOf: path) else { return nil }
        do {
            return try JSONDecoder().decode(EngineManifest.self, from: data)
        } catch {
            throw EngineTable.unusable(library, "'\(path.path())' is not an engine manifest: \(error)")
        }
    }
}

/// The features of this machine's CPU.
package struct CPUFeatures: Sendable, Hashable {
    /// Names as `/proc/cpuinfo` spells them.
    package var names: Set<String>

    package init(names: Set<String>) {
        self.names = names
    }

    /// Reads the features of the first CPU out of the text of `/proc/cpuinfo`.
    package init(cpuinfo text: String) {
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }
        let words = line?.split(separator: ":").last?.split(separator: " ") ?? []
        self.names = Set(words.map(String.init))
    }

    /// This machine's.
    package static var current: CPUFeatures {
        CPUFeatures(cpuinfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
    }
}
