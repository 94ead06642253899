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
    let tokenize: Tokenize
    let tokenBytes: TokenBytes
    let endsGeneration: EndsGeneration
    let openSession: OpenSession
    let closeSession: CloseSession
    let decode: Decode
    let abortSession: CloseSession
    let openSampler: OpenSampler
    let closeSampler: CloseSampler
    let sample: Sample
    let logProbabilities: LogProbabilities
    let embedding: Embedding
    let removeTokens: RemoveTokens
    let copyTokens: CopyTokens
    let setAdapters: SetAdapters

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
        // The first two fields are the same in every version; nothing else may be read before they are checked.
        guard pointer.pointee.abi_version == UInt32(MARTLET_ENGINE_ABI_VERSION) else {
            throw EngineTable.unusable(
                library,
                "it speaks ABI version \(pointer.pointee.abi_version), Martlet speaks \(MARTLET_ENGINE_ABI_VERSION); "
                    + "build it again with scripts/bootstrap"
            )
        }
        guard Int(pointer.pointee.struct_size) >= MemoryLayout<martlet_engine>.size else {
            throw EngineTable.unusable(
                library,
                "its table has \(pointer.pointee.struct_size) bytes where version \(MARTLET_ENGINE_ABI_VERSION) needs "
                    + "\(MemoryLayout<martlet_engine>.size)"
            )
        }
        let table = pointer.pointee
        func required<Function>(_ function: Function?, _ name: String) throws -> Function {
            guard let function else { throw EngineTable.unusable(library, "its table has no function '\(name)'") }
            return function
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
        self.tokenize = try required(table.tokenize, "tokenize")
        self.tokenBytes = try required(table.token_bytes, "token_bytes")
        self.endsGeneration = try required(table.ends_generation, "ends_generation")
        self.openSession = try required(table.open_session, "open_session")
        self.closeSession = try required(table.close_session, "close_session")
        self.decode = try required(table.decode, "decode")
        self.abortSession = try required(table.abort_session, "abort_session")
        self.openSampler = try required(table.open_sampler, "open_sampler")
        self.closeSampler = try required(table.close_sampler, "close_sampler")
        self.sample = try required(table.sample, "sample")
        self.logProbabilities = try required(table.log_probabilities, "log_probabilities")
        self.embedding = try required(table.embedding, "embedding")
        self.removeTokens = try required(table.remove_tokens, "remove_tokens")
        self.copyTokens = try required(table.copy_tokens, "copy_tokens")
        self.setAdapters = try required(table.set_adapters, "set_adapters")
    }

    static func unusable(_ library: String, _ reason: String) -> MartletError {
        MartletError("EngineUnusable", "the engine library '\(library)' cannot be used: \(reason)")
    }
}

// The types of the table's functions, as Swift sees them.
extension EngineTable {
    typealias Model = OpaquePointer
    typealias Session = OpaquePointer
    typealias Sampler = OpaquePointer

    typealias SetLog = @convention(c) (martlet_log?, UnsafeMutableRawPointer?) -> Void
    typealias CheckOption = @convention(c) (UnsafePointer<martlet_option>?, martlet_error) -> martlet_status
    typealias OpenModel =
        @convention(c) (
            UnsafePointer<martlet_opening>?, UnsafeMutablePointer<Model?>?, martlet_error
        ) -> martlet_status
    typealias CloseModel = @convention(c) (Model?) -> Void
    typealias DescribeModel =
        @convention(c) (Model?, UnsafeMutablePointer<martlet_description>?) -> martlet_status
    typealias ModelText = @convention(c) (Model?, Int32, UnsafeMutablePointer<CChar>?, Int) -> Int
    typealias Tokenize =
        @convention(c) (
            Model?, UnsafePointer<martlet_segment>?, Int, UnsafeMutablePointer<Int32>?, Int,
            UnsafeMutablePointer<Int>?, martlet_error
        ) -> martlet_status
    typealias TokenBytes = @convention(c) (Model?, Int32, UnsafeMutablePointer<CChar>?, Int) -> Int
    typealias EndsGeneration = @convention(c) (Model?, Int32) -> Bool
    typealias OpenSession =
        @convention(c) (Model?, UnsafeMutablePointer<Session?>?, martlet_error) -> martlet_status
    typealias CloseSession = @convention(c) (Session?) -> Void
    typealias Decode =
        @convention(c) (Session?, UnsafePointer<martlet_entry>?, Int, martlet_error) -> martlet_status
    typealias OpenSampler =
        @convention(c) (
            Session?, UnsafePointer<martlet_sampling>?, UnsafeMutablePointer<Sampler?>?, martlet_error
        ) -> martlet_status
    typealias CloseSampler = @convention(c) (Sampler?) -> Void
    typealias Sample =
        @convention(c) (Sampler?, Int, UnsafeMutablePointer<Int32>?, martlet_error) -> martlet_status
    typealias LogProbabilities =
        @convention(c) (
            Session?, Int, Int32, UnsafeMutablePointer<Double>?, UnsafeMutablePointer<martlet_token_probability>?,
            Int, UnsafeMutablePointer<Int>?, martlet_error
        ) -> martlet_status
    typealias Embedding =
        @convention(c) (Session?, Int32, UnsafeMutablePointer<Float>?, Int, martlet_error) -> martlet_status
    typealias RemoveTokens = @convention(c) (Session?, Int32, Int32, Int32) -> martlet_status
    typealias CopyTokens = @convention(c) (Session?, Int32, Int32, Int32) -> martlet_status
    typealias SetAdapters =
        @convention(c) (Session?, UnsafePointer<Int>?, Int, martlet_error) -> martlet_status
}
