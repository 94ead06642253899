internal import CEngine

// The table's functions in groups, with their types as Swift sees them.
extension EngineTable {
    // Macros that Swift does not see.
    static let canGenerate: UInt64 = 1 << 0
    static let canEmbed: UInt64 = 1 << 1
    static let canRunTensors: UInt64 = 1 << 2
    static let canAccelerate: UInt64 = 1 << 3
    static let canBias: UInt64 = 1 << 4

    /// What works on text.
    struct LanguageFunctions: @unchecked Sendable {  // As the table itself.
        let tokenize: Tokenize
        let tokenBytes: TokenBytes
        let endsGeneration: EndsGeneration
        let decode: Decode
        let openSampler: OpenSampler
        let closeSampler: CloseSampler
        let sample: Sample
        let logProbabilities: LogProbabilities
        let embedding: Embedding
        let removeTokens: RemoveTokens
        let copyTokens: CopyTokens
        let setAdapters: SetAdapters
        /// Whether samplers heed biases of tokens.
        let takesBiases: Bool

        init(_ table: martlet_engine, library: String) throws {
            self.tokenize = try EngineTable.required(table.tokenize, "tokenize", in: library)
            self.tokenBytes = try EngineTable.required(table.token_bytes, "token_bytes", in: library)
            self.endsGeneration = try EngineTable.required(table.ends_generation, "ends_generation", in: library)
            self.decode = try EngineTable.required(table.decode, "decode", in: library)
            self.openSampler = try EngineTable.required(table.open_sampler, "open_sampler", in: library)
            self.closeSampler = try EngineTable.required(table.close_sampler, "close_sampler", in: library)
            self.sample = try EngineTable.required(table.sample, "sample", in: library)
            self.logProbabilities = try EngineTable.required(table.log_probabilities, "log_probabilities", in: library)
            self.embedding = try EngineTable.required(table.embedding, "embedding", in: library)
            self.removeTokens = try EngineTable.required(table.remove_tokens, "remove_tokens", in: library)
            self.copyTokens = try EngineTable.required(table.copy_tokens, "copy_tokens", in: library)
            self.setAdapters = try EngineTable.required(table.set_adapters, "set_adapters", in: library)
            self.takesBiases = table.capabilities & EngineTable.canBias != 0
        }
    }

    /// What works on tensors.
    struct TensorFunctions: @unchecked Sendable {  // As the table itself.
        let describeTensor: DescribeTensor
        let runTensors: RunTensors
        let resultTensor: ResultTensor
        let releaseResult: ReleaseResult

        init(_ table: martlet_engine, library: String) throws {
            self.describeTensor = try EngineTable.required(table.describe_tensor, "describe_tensor", in: library)
            self.runTensors = try EngineTable.required(table.run_tensors, "run_tensors", in: library)
            self.resultTensor = try EngineTable.required(table.result_tensor, "result_tensor", in: library)
            self.releaseResult = try EngineTable.required(table.release_result, "release_result", in: library)
        }
    }

    typealias Model = OpaquePointer
    typealias Session = OpaquePointer
    typealias Sampler = OpaquePointer
    typealias TensorResult = OpaquePointer

    typealias Accelerator = @convention(c) (Int) -> UnsafePointer<CChar>?
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
    typealias OpenSession =
        @convention(c) (Model?, UnsafeMutablePointer<Session?>?, martlet_error) -> martlet_status
    typealias CloseSession = @convention(c) (Session?) -> Void

    typealias Tokenize =
        @convention(c) (
            Model?, UnsafePointer<martlet_segment>?, Int, UnsafeMutablePointer<Int32>?, Int,
            UnsafeMutablePointer<Int>?, martlet_error
        ) -> martlet_status
    typealias TokenBytes = @convention(c) (Model?, Int32, UnsafeMutablePointer<CChar>?, Int) -> Int
    typealias EndsGeneration = @convention(c) (Model?, Int32) -> Bool
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

    typealias DescribeTensor =
        @convention(c) (Model?, Bool, Int, UnsafeMutablePointer<martlet_tensor_description>?) -> martlet_status
    typealias RunTensors =
        @convention(c) (
            Session?, UnsafePointer<martlet_tensor>?, Int, UnsafePointer<UnsafePointer<CChar>?>?, Int,
            UnsafeMutablePointer<TensorResult?>?, martlet_error
        ) -> martlet_status
    typealias ResultTensor =
        @convention(c) (TensorResult?, Int, UnsafeMutablePointer<martlet_tensor>?) -> martlet_status
    typealias ReleaseResult = @convention(c) (TensorResult?) -> Void
}
