internal import Engines
internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport

/// What this machine has: the llama and onnx engines and the example models.
enum Installed {
    static let searchPath = EngineDirectory.searchPath(environment: ProcessInfo.processInfo.environment)

    /// The llama engine, or nil where scripts/bootstrap has not run; tests that need it are skipped then.
    static let llama: (any InferenceEngine)? = try? EngineDirectory(searchPath: searchPath).engine(named: "llama")

    static let hint = "the llama engine is not installed; run scripts/bootstrap"

    /// The onnx engine, or nil where scripts/bootstrap has not run.
    static let onnx: (any InferenceEngine)? = try? EngineDirectory(searchPath: searchPath).engine(named: "onnx")

    static let onnxHint = "the onnx engine is not installed; run scripts/bootstrap"

    static func model(_ name: String) -> String {
        "\(FaultyEngine.repository())Examples/desk/models/\(name)"
    }

    static func fixture(_ name: String) -> String {
        "\(FaultyEngine.repository())Tests/EnginesTests/Fixtures/\(name)"
    }

    static func onnxModel(_ name: String) -> String {
        Installed.fixture("onnx/\(name).onnx")
    }

    /// Opens a model of tensors.
    static func openTensors(_ name: String, options: [String: JSONValue] = [:]) throws -> any TensorModel {
        guard let onnx = Installed.onnx else { throw MartletError("EngineNotInstalled", Installed.onnxHint) }
        guard case .tensor(let model) = try onnx.open(ModelOpening(file: Installed.onnxModel(name), options: options))
        else {
            throw MartletError("WrongKind", "\(name) is no model of tensors")
        }
        return model
    }

    /// Opens one of the example models.
    static func open(
        _ name: String,
        adapters: [ModelOpening.Adapter] = [],
        options: [String: JSONValue] = [:]
    ) throws -> any LanguageModel {
        guard let llama = Installed.llama else { throw MartletError("EngineNotInstalled", Installed.hint) }
        let opening = ModelOpening(file: Installed.model(name), adapters: adapters, options: options)
        guard case .language(let model) = try llama.open(opening) else {
            throw MartletError("WrongKind", "\(name) is no language model")
        }
        return model
    }

    /// The resident memory of this process, in bytes.
    static func residentBytes() -> Int64 {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return (fields.count > 1 ? Int64(fields[1]) ?? 0 : 0) * 4096
    }

    /// The executable beside this test program that is a probe's child.
    static var probeChild: String {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: program).deletingLastPathComponent().appending(path: "ProbeTestChild").path()
    }
}
