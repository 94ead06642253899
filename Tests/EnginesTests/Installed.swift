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
        try Installed.openTensors(at: Installed.onnxModel(name), options: options)
    }

    static func openTensors(at file: String, options: [String: JSONValue] = [:]) throws -> any TensorModel {
        guard let onnx = Installed.onnx else { throw MartletError("EngineNotInstalled", Installed.onnxHint) }
        guard case .tensor(let model) = try onnx.open(ModelOpening(file: file, options: options)) else {
            throw MartletError("WrongKind", "\(file) is no model of tensors")
        }
        return model
    }

    /// The file of a model that adds `count` numbers, which it holds, to its input `x`.
    static func onnxModel(adding count: Int) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] {
            value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + number(value >> 7)
        }
        func field(_ index: Int, _ value: Int) -> [UInt8] { number(index << 3) + number(value) }
        func field(_ index: Int, _ bytes: [UInt8]) -> [UInt8] { number(index << 3 | 2) + number(bytes.count) + bytes }
        func text(_ index: Int, _ text: String) -> [UInt8] { field(index, Array(text.utf8)) }
        func value(_ name: String) -> [UInt8] {
            let shape = field(2, field(1, field(1, count)))
            return text(1, name) + field(2, field(1, field(1, 1) + shape))
        }
        let weights = field(1, count) + field(2, 1) + text(8, "w") + field(9, [UInt8](repeating: 60, count: count * 4))
        let node = text(1, "x") + text(1, "w") + text(2, "y") + text(4, "Add")
        let graph = field(1, node) + text(2, "g") + field(5, weights) + field(11, value("x")) + field(12, value("y"))
        return field(1, 8) + field(8, field(2, 13)) + field(7, graph)
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
