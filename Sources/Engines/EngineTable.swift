internal import CEngine
internal import Glibc
internal import Schema

/// The functions of one engine library, checked once so that every call site can rely on them.
struct EngineTable: @unchecked Sendable {  // The pointers lead into a library that is never closed, and never change.
    let name: String
    let version: String
    /// The path that the library was opened from.
    let library: String

    let setLog: SetLog
    let checkOption: CheckOption
    let openModel: OpenModel
    let closeModel: CloseModel
    let describeModel: DescribeModel
    let modelText: ModelText
    let openSession: OpenSession
    let closeSession: CloseSession
    let abortSession: CloseSession
    /// What this machine has beside its CPU that models can be opened on.
    let accelerators: [String]
    /// Of an engine that generates text or embeds it.
    let language: LanguageFunctions?
    /// Of an engine that runs models on tensors.
    let tensors: TensorFunctions?

    /// Opens a library for the rest of the process's life. Throws `EngineUnusable` with the reason.
    init(opening library: String) throws {
        guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
            throw EngineTable.unusable(library, String(cString: dlerror()))
        }
        guard let symbol = dlsym(handle, MARTLET_ENGINE_SYMBOL) else {
            throw EngineTable.unusable(library, "it does not export \(MARTLET_ENGINE_SYMBOL)")
        }
        let function = unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> UnsafePointer<martlet_engine>?).self)
        guard let table = function(UInt32(MARTLET_ENGINE_ABI_VERSION)) else {
            throw EngineTable.unusable(library, "it refuses ABI version \(MARTLET_ENGINE_ABI_VERSION)")
        }
        try self.init(checking: table, library: library)
    }

    private init(checking pointer: UnsafePointer<martlet_engine>, library: String) throws {
        let table = try EngineTable.copy(of: pointer, library: library)
        func required<Function>(_ function: Function?, _ name: String) throws -> Function {
            try EngineTable.required(function, name, in: library)
        }
        self.library = library
        self.name = String(cString: try required(table.name, "name"))
        self.version = String(cString: try required(table.version, "version"))
        self.setLog = try required(table.set_log, "set_log")
        self.checkOption = try required(table.check_option, "check_option")
        self.openModel = try required(table.open_model, "open_model")
        self.closeModel = try required(table.close_model, "close_model")
        self.describeModel = try required(table.describe_model, "describe_model")
        self.modelText = try required(table.model_text, "model_text")
        self.openSession = try required(table.open_session, "open_session")
        self.closeSession = try required(table.close_session, "close_session")
        self.abortSession = try required(table.abort_session, "abort_session")
        self.accelerators =
            try table.knowsAccelerators
            ? EngineTable.accelerators(by: required(table.accelerator, "accelerator"), library) : []
        self.language = try table.knowsLanguage ? LanguageFunctions(table, library: library) : nil
        self.tensors = try table.knowsTensors ? TensorFunctions(table, library: library) : nil
    }

    /// Copies as much of a table as its library has: one that was compiled before the table grew has a shorter one.
    private static func copy(of pointer: UnsafePointer<martlet_engine>, library: String) throws -> martlet_engine {
        let table = UnsafeRawPointer(pointer)
        // The first two fields are the same in every version; nothing else may be read before they are checked.
        let version = table.load(as: UInt32.self)
        guard version == UInt32(MARTLET_ENGINE_ABI_VERSION) else {
            throw EngineTable.unusable(
                library,
                "it speaks ABI version \(version), Martlet speaks \(MARTLET_ENGINE_ABI_VERSION); "
                    + "build it again with scripts/bootstrap"
            )
        }
        let size = Int(table.load(fromByteOffset: MemoryLayout<UInt32>.size, as: UInt32.self))
        var copy = martlet_engine()
        withUnsafeMutableBytes(of: &copy) { copy in
            copy.copyMemory(from: UnsafeRawBufferPointer(start: table, count: min(size, copy.count)))
        }
        let needed =
            if copy.knowsAccelerators {
                EngineTable.end(of: \martlet_engine.accelerator)
            } else if copy.knowsTensors {
                EngineTable.end(of: \martlet_engine.release_result)
            } else {
                EngineTable.end(of: \martlet_engine.set_adapters)
            }
        guard size >= needed else {
            throw EngineTable.unusable(library, "its table has \(size) bytes where what it can do needs \(needed)")
        }
        guard copy.knowsLanguage || copy.knowsTensors else {
            throw EngineTable.unusable(library, "it names nothing that it can do and Martlet knows")
        }
        return copy
    }

    /// The bytes of a table up to and with one of its functions.
    private static func end(of function: PartialKeyPath<martlet_engine>) -> Int {
        let start = MemoryLayout<martlet_engine>.offset(of: function) ?? MemoryLayout<martlet_engine>.size
        return start + MemoryLayout<OpaquePointer?>.size
    }

    /// Asks for one name after the other; who never ends is refused.
    private static func accelerators(by name: Accelerator, _ library: String) throws -> [String] {
        var names: [String] = []
        while let next = name(names.count) {
            names.append(String(cString: next))
            guard names.count <= 64 else { throw EngineTable.unusable(library, "it names accelerators without end") }
        }
        return names
    }

    /// A function that a table must have. Throws `EngineUnusable`, which names it.
    static func required<Function>(_ function: Function?, _ name: String, in library: String) throws -> Function {
        guard let function else { throw EngineTable.unusable(library, "its table has no function '\(name)'") }
        return function
    }

    static func unusable(_ library: String, _ reason: String) -> MartletError {
        MartletError("EngineUnusable", "the engine library '\(library)' cannot be used: \(reason)")
    }
}

extension martlet_engine {
    fileprivate var knowsLanguage: Bool { self.capabilities & (EngineTable.canGenerate | EngineTable.canEmbed) != 0 }
    fileprivate var knowsTensors: Bool { self.capabilities & EngineTable.canRunTensors != 0 }
    fileprivate var knowsAccelerators: Bool { self.capabilities & EngineTable.canAccelerate != 0 }
}
