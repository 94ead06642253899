internal import Foundation
internal import Schema
internal import TestSupport

/// The `martlet` that was built beside these tests, and what it needs to run.
enum Executable {
    /// Absolute path of the program.
    static let path = folder.appending(path: "martlet").path()

    /// The folder that holds the test program: SwiftPM builds both into one.
    private static let folder: URL = {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: program).deletingLastPathComponent()
    }()

    /// The root of this repository.
    static let repository = FaultyEngine.repository()

    /// Whether the example model can be served here.
    static let hasLlama = has("llama")

    /// Whether models of tensors can be served here.
    static let hasONNX = has("onnx")

    private static func has(_ engine: String) -> Bool {
        (self.cacheFolders + ["/usr/local/lib/martlet", "/usr/lib/martlet"]).contains { folder in
            ["\(engine)/", ""].contains { nested in
                FileManager.default.fileExists(atPath: "\(folder)/engines/\(nested)libmartlet_engine_\(engine).so")
            }
        }
    }

    /// Why tests of the example model are skipped.
    static let hint = "the llama engine is not installed; run scripts/bootstrap"

    private static var cacheFolders: [String] {
        let environment = ProcessInfo.processInfo.environment
        return [
            environment["MARTLET_CACHE"],
            environment["XDG_CACHE_HOME"].map { "\($0)/martlet" },
            environment["HOME"].map { "\($0)/.cache/martlet" },
        ].compactMap { $0 }
    }

    /// The test's environment without what would lead the program elsewhere, and with some more.
    static func environment(_ more: [String: String] = [:]) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("XDG_STATE") }
        environment["MARTLET_STATE_DIR"] = nil
        environment["NO_COLOR"] = "1"
        // Tests leave nothing in the user's cache; where engines are looked for stays the same.
        environment["MARTLET_CACHE"] = environment["MARTLET_CACHE"] ?? ""
        return environment.merging(more) { _, new in new }
    }

    /// What a verb printed, and how it ended.
    struct Result: Sendable {
        var code: Int32
        var output: String
        var complaint: String
    }

    /// Runs a verb to its end.
    static func run(
        _ words: [String],
        in folder: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> Result {
        let transcript = try TemporaryFolder()
        let (output, complaint) = (transcript.file("output"), transcript.file("complaint"))
        let program = try Program(
            [Executable.path] + words,
            environment: Executable.environment(environment),
            folder: folder,
            output: output,
            complaint: complaint
        )
        let end = await program.finished()
        guard case .exited(let code) = end else {
            throw MartletError("VerbDied", "martlet \(words.joined(separator: " ")) died: \(end)")
        }
        return Result(
            code: code,
            output: try String(contentsOfFile: output, encoding: .utf8),
            complaint: try String(contentsOfFile: complaint, encoding: .utf8)
        )
    }
}
