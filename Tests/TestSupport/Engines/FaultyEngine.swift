internal import Foundation
internal import Schema
internal import Synchronization

/// The engine that misbehaves on command, compiled from `Engines/faulty` once for each variant.
package enum FaultyEngine {
    /// Defects that the library itself can have.
    package enum Defect: String, Sendable, Hashable, CaseIterable {
        case otherVersion = "-DFAULTY_ABI_VERSION=7"
        case shortTable = "-DFAULTY_STRUCT_SIZE=64"
        case withoutDecode = "-DFAULTY_WITHOUT_DECODE"
        case withoutRun = "-DFAULTY_WITHOUT_RUN"
        case withoutCapabilities = "-DFAULTY_CAPABILITIES=0"
        case shortTensorTable = "-DFAULTY_STRUCT_SIZE=200"
        /// None, in fact: it was compiled before the table grew.
        case withoutTensors = "-DFAULTY_WITHOUT_TENSORS"
        /// None either: it computes on an abacus.
        case accelerated = "-DFAULTY_ACCELERATED"
        case withoutSymbol = "-DFAULTY_WITHOUT_SYMBOL"
    }

    private static let built = Mutex<[Defect?: String]>([:])

    /// Compiles the engine with the system's C compiler and returns the folder of its library, for a search path.
    package static func folder(with defect: Defect? = nil) throws -> String {
        try FaultyEngine.built.withLock { built in
            if let folder = built[defect] { return folder }
            let folder = FileManager.default.temporaryDirectory
                .appending(path: "martlet-faulty-\(UUID().uuidString)").path()
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FaultyEngine.compile(into: "\(folder)/libmartlet_engine_faulty.so", defect)
            built[defect] = folder
            return folder
        }
    }

    /// Writes a model file with a behaviour in it and returns its path.
    package static func model(_ behaviour: String) throws -> String {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "martlet-faulty-\(UUID().uuidString).model").path()
        try Data("\(behaviour)\n".utf8).write(to: URL(filePath: path))
        return path
    }

    /// The root of this repository, with links resolved, wherever the package was built from.
    package static func repository() -> String {
        URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path()
    }

    private static func compile(into library: String, _ defect: Defect?) throws {
        let repository = FaultyEngine.repository()
        let words =
            ["cc", "-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
            + ["-Wno-unused-function", "-I\(repository)Sources/CEngine/include"]
            + (defect.map { [$0.rawValue] } ?? [])
            + ["\(repository)Engines/faulty/engine_faulty.c", "-o", library]
        guard try TestChild(words).finish() == 0 else {
            throw MartletError("CompilerFailed", "cc could not compile Engines/faulty/engine_faulty.c")
        }
    }
}
