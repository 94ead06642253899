package import Schema

/// What it takes to open a model: verified files on disk or servers elsewhere, and what the manifest says about them.
package struct ModelOpening: Sendable, Hashable, Codable {
    package struct Adapter: Sendable, Hashable, Codable {
        package var name: String
        package var file: String
        package var scale: Double

        package init(name: String, file: String, scale: Double) {
            self.name = name
            self.file = file
            self.scale = scale
        }
    }

    /// An absolute path; empty for a model that a server elsewhere answers for.
    package var file: String
    /// The servers that answer, in the place of a file.
    package var upstreams: UpstreamSet?
    package var adapters: [Adapter]
    /// The engine's own options, as the manifest gives them.
    package var options: [String: JSONValue]
    package var threads: Int
    /// What computes beside the CPU, as ``InferenceEngine/accelerators`` names it; nil for nothing.
    package var accelerator: String?

    package init(
        file: String,
        upstreams: UpstreamSet? = nil,
        adapters: [Adapter] = [],
        options: [String: JSONValue] = [:],
        threads: Int = 1,
        accelerator: String? = nil
    ) {
        self.file = file
        self.upstreams = upstreams
        self.adapters = adapters
        self.options = options
        self.threads = threads
        self.accelerator = accelerator
    }
}

/// What a loaded model says of itself.
package struct ModelDescription: Sendable, Hashable, Codable {
    /// `llama`, `bert`, …: the architecture that the file declares.
    package var architecture: String
    /// Bytes of weights in memory, as measured by the engine.
    package var weightBytes: Int64
    /// Bytes of one session with the requested options: caches and scratch buffers.
    package var sessionBytes: Int64
    /// The longest sequence of one slot, in tokens.
    package var contextLength: Int
    /// Sequences that one session serves at once.
    package var slots: Int
    /// The width of an embedding, in floats; nil for a model that gives none.
    package var embeddingWidth: Int?
    /// Whether the model can generate text (an encoder cannot).
    package var generates: Bool
    package var vocabularySize: Int
    /// The chat template that the file carries, in its own words.
    package var chatTemplate: String?
    /// Whether the tokenizer wants its beginning-of-sequence token in front.
    package var addsBeginningToken: Bool
    /// What a model of tensors takes and gives; nil for every other.
    package var tensors: TensorSignature?

    package init(
        architecture: String,
        weightBytes: Int64,
        sessionBytes: Int64,
        contextLength: Int = 0,
        slots: Int = 1,
        embeddingWidth: Int? = nil,
        generates: Bool = false,
        vocabularySize: Int = 0,
        chatTemplate: String? = nil,
        addsBeginningToken: Bool = false,
        tensors: TensorSignature? = nil
    ) {
        self.architecture = architecture
        self.weightBytes = weightBytes
        self.sessionBytes = sessionBytes
        self.contextLength = contextLength
        self.slots = slots
        self.embeddingWidth = embeddingWidth
        self.generates = generates
        self.vocabularySize = vocabularySize
        self.chatTemplate = chatTemplate
        self.addsBeginningToken = addsBeginningToken
        self.tensors = tensors
    }
}

/// One installed engine, or the reason why it cannot be used.
package struct EngineReport: Sendable, Hashable, Codable {
    package var name: String
    /// `built in` or the path of the shared library.
    package var location: String
    package var version: String?
    /// Why the engine is not usable; nil when it is.
    package var problem: String?
    /// What this machine has beside its CPU that the engine computes on: `cuda`.
    package var accelerators: [String]

    package init(
        name: String,
        location: String,
        version: String?,
        problem: String?,
        accelerators: [String] = []
    ) {
        self.name = name
        self.location = location
        self.version = version
        self.problem = problem
        self.accelerators = accelerators
    }
}

/// Finds engines by the name that a manifest uses.
package protocol EngineCatalog: Sendable {
    /// Every engine that was found, usable or not, sorted by name.
    func reports() -> [EngineReport]

    /// The engine of that name. Throws `EngineNotInstalled`, with what to do, when there is none.
    func engine(named name: String) throws -> any InferenceEngine
}

/// One way to compute answers.
package protocol InferenceEngine: Sendable {
    var name: String { get }
    var version: String { get }

    /// What this machine has beside its CPU that models can be opened on, as manifests spell it: `cuda`.
    var accelerators: [String] { get }

    /// Checks a model's options without opening it; each problem is one sentence about one option.
    func problems(inOptions options: [String: JSONValue]) -> [OptionProblem]

    /// Opens a model file. Blocks while it loads; callers give it a thread of its own.
    func open(_ opening: ModelOpening) throws -> LoadedModel
}

extension InferenceEngine {
    package var accelerators: [String] { [] }

    /// Requires that what a model is to be opened on is there. Throws `AcceleratorMissing`, with what to do.
    package func requireAccelerator(of opening: ModelOpening) throws {
        guard let wanted = opening.accelerator, !self.accelerators.contains(wanted) else { return }
        throw MartletError(
            "AcceleratorMissing",
            "model '\(opening.file)' asks for the accelerator '\(wanted)'; "
                + EngineReport.words(self.accelerators, of: self.name),
            disposition: .waiting
        )
    }
}

extension EngineReport {
    /// Says what an engine has to compute on, and how it gets more.
    static func words(_ accelerators: some Collection<String>, of engine: String) -> String {
        let known = accelerators.isEmpty ? "nothing but the CPU" : accelerators.sorted().joined(separator: ", ")
        let advice = engine == "llama" ? "; 'scripts/bootstrap --cuda' builds it for NVIDIA GPUs" : ""
        return "the engine '\(engine)' finds \(known) on this machine\(advice)"
    }
}

/// What is wrong with one option of a model.
package struct OptionProblem: Sendable, Hashable, Codable {
    package var option: String
    package var message: String

    package init(option: String, message: String) {
        self.option = option
        self.message = message
    }
}

/// A loaded model, by what it can be asked.
package enum LoadedModel: Sendable {
    /// Decodes token by token; Serving schedules it.
    case language(any LanguageModel)
    /// Answers whole conversations by itself: a recording.
    case completion(any CompletionModel)
    /// Takes tensors and gives tensors; Serving schedules its runs.
    case tensor(any TensorModel)
    /// Takes tensors and gives tensors by itself: a server elsewhere.
    case tensorService(any TensorService)
}

/// A piece of text to tokenize, and whether the spelling of special tokens in it means those tokens.
package struct TextSegment: Sendable, Hashable {
    package var text: String
    /// True for template text; false for what a user wrote, so that a typed `<|im_end|>` forges no turn.
    package var parseSpecial: Bool

    package init(_ text: String, parseSpecial: Bool) {
        self.text = text
        self.parseSpecial = parseSpecial
    }
}

/// Token ids of one model's vocabulary.
package typealias Token = Int32

/// The weights and the vocabulary of a language or embedding model. Safe to use from any thread.
package protocol LanguageModel: Sendable {
    var description: ModelDescription { get }

    /// Tokenizes segments in order, as one text. The beginning token is not added.
    func tokenize(_ segments: [TextSegment]) throws -> [Token]

    /// The bytes of one token; they need not be whole characters. Special tokens give no bytes.
    func bytes(of token: Token) -> [UInt8]

    /// Whether a token ends generation.
    func endsGeneration(_ token: Token) -> Bool

    /// The beginning-of-sequence token, where the vocabulary has one.
    var beginningToken: Token? { get }

    /// What the tokenizer wants behind a text to embed (BERT's separator); nil for nothing.
    var endingToken: Token? { get }

    /// Opens a session: the caches of `description.slots` sequences. Blocks while it allocates.
    func makeSession() throws -> any LanguageSession

    /// Gives the weights back. Sessions must be closed first; calls after it throw.
    func close()
}

extension LanguageModel {
    package var endingToken: Token? { nil }
}

/// One token of a batch.
package struct BatchEntry: Sendable, Hashable {
    package var token: Token
    /// The position within its sequence, from 0.
    package var position: Int32
    /// The slot, below `description.slots`.
    package var sequence: Int32
    /// Whether this entry's logits (or embedding) will be asked for.
    package var wantsLogits: Bool

    package init(token: Token, position: Int32, sequence: Int32, wantsLogits: Bool) {
        self.token = token
        self.position = position
        self.sequence = sequence
        self.wantsLogits = wantsLogits
    }
}

/// How the next token is chosen.
package struct SamplingParameters: Sendable, Hashable, Codable {
    /// 0 is greedy; nil: 1, or what a server elsewhere takes by itself.
    package var temperature: Double?
    /// nil: 1, or what a server elsewhere takes by itself.
    package var topP: Double?
    /// 0 considers every token.
    package var topK: Int = 0
    package var minP: Double = 0
    package var seed: UInt32?
    package var frequencyPenalty: Double = 0
    package var presencePenalty: Double = 0
    /// A GBNF grammar that the output must follow.
    package var grammar: String?
    /// What is added to the logits of some tokens before one is chosen. An engine that cannot refuses with
    /// `UnsupportedParameter`.
    package var logitBias: [Token: Double] = [:]

    package init() {}
}

/// One token's log-probability.
package struct TokenProbability: Sendable, Hashable {
    package var token: Token
    package var logProbability: Double

    package init(token: Token, logProbability: Double) {
        self.token = token
        self.logProbability = logProbability
    }
}

/// The caches of a model's slots. Driven by one dedicated thread; only ``abort()`` may come from any other.
package protocol LanguageSession: AnyObject, Sendable {
    /// The most entries that one ``decode(_:)`` takes.
    var batchLimit: Int { get }

    /// Computes a batch, of which at most `description.slots` entries want logits. A text to embed is one batch on an
    /// empty sequence, of which any number of entries may want logits.
    ///
    /// Throws `Aborted` after ``abort()``, `DecodeFailed` when the engine reports a fault.
    func decode(_ batch: [BatchEntry]) throws

    /// Makes the sampler of one request; it remembers what it sampled (penalties, grammar state, random numbers).
    func makeSampler(_ parameters: SamplingParameters) throws -> any TokenSampler

    /// The embedding of a sequence of the last batch, L2-normalised; `description.embeddingWidth` floats.
    func embedding(ofSequence sequence: Int32) throws -> [Float]

    /// The `count` likeliest tokens and the chosen one, from the logits of entry `index` of the last batch.
    func logProbabilities(
        at index: Int,
        of chosen: Token,
        top count: Int
    ) throws -> (chosen: TokenProbability, top: [TokenProbability])

    /// Forgets positions `from ..< to` of a sequence (`to` nil: to its end).
    func removeTokens(ofSequence sequence: Int32, from: Int32, to: Int32?)

    /// Makes `target` share what `source` has in its cache before position `length`.
    func copyTokens(fromSequence source: Int32, toSequence target: Int32, length: Int32)

    /// Sets the adapters for the following batches, by name; adapters work on whole batches, not on single slots.
    func setAdapters(_ names: [String]) throws

    /// Makes a running ``decode(_:)`` return within 50 ms, and later ones throw. May be called from any thread.
    func abort()

    /// Gives the caches back.
    func close()
}

/// Chooses tokens for one request. Used on its session's thread only.
package protocol TokenSampler: AnyObject {
    /// Samples from the logits of entry `index` of the last batch, and remembers the choice.
    func sample(at index: Int) throws -> Token
}
