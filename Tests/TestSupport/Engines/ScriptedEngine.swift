package import Planning
package import Schema

/// An engine without a model: it decodes bytes as tokens and says what a script tells it to.
///
///     let engine = ScriptedEngine { prompt in .text("You said: \(prompt.lastUserMessage ?? prompt.text)") }
///     guard case .language(let model) = try engine.open(ModelOpening(file: "/models/any.gguf")) else { … }
///     let control = engine.control          // gates, faults and the log of what happened
///
/// It has a true cache per slot: positions must follow each other, removed tokens are gone, and a sampler that
/// finds anything in the cache but its prompt and what it sampled before throws `DecodeFailed`. So a scheduler that
/// mixes slots up, skips a token or reuses a wrong prefix fails its tests. The answer is decided when a sampler
/// chooses its first token, from the whole prompt, the sampling parameters and the adapters in effect then. The
/// sampler itself obeys the script only: temperature, penalties and grammars are recorded, not applied.
/// No file is read; only paths in `wrongFiles` are refused.
package struct ScriptedEngine: InferenceEngine {
    /// Answers the last user turn, or the whole prompt, with its own text.
    package static let echo: @Sendable (ScriptedPrompt) -> ScriptedAnswer = { prompt in
        .text(prompt.lastUserMessage ?? prompt.text)
    }

    package let name: String
    package let version: String
    package let control: ScriptedControl
    /// Files whose opening throws `ModelUnreadable`.
    package var wrongFiles: Set<String> = []
    /// What the model says of itself; `slots`, `contextLength`, `embeddingWidth` and the bytes are heeded.
    package var description: ModelDescription
    /// The most entries of one batch.
    package var batchLimit: Int
    private let answer: @Sendable (ScriptedPrompt) -> ScriptedAnswer

    package init(
        name: String = "scripted",
        version: String = "1",
        contextLength: Int = 512,
        slots: Int = 4,
        batchLimit: Int = 64,
        embeddingWidth: Int? = 8,
        addsBeginningToken: Bool = false,
        control: ScriptedControl = ScriptedControl(),
        answer: @escaping @Sendable (ScriptedPrompt) -> ScriptedAnswer = ScriptedEngine.echo
    ) {
        self.name = name
        self.version = version
        self.control = control
        self.batchLimit = batchLimit
        self.answer = answer
        self.description = ModelDescription(
            architecture: "scripted",
            weightBytes: 1_000_000,
            sessionBytes: 10_000,
            contextLength: contextLength,
            slots: slots,
            embeddingWidth: embeddingWidth,
            generates: true,
            vocabularySize: ScriptedVocabulary.size,
            chatTemplate: ScriptedEngine.chatML,
            addsBeginningToken: addsBeginningToken
        )
    }

    /// The template of ChatML conversations, in the words in which model files carry it.
    package static let chatML = """
        {% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' \
        + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
        """

    /// Knows the options `contextLength` and `slots`, both positive integers.
    package func problems(inOptions options: [String: JSONValue]) -> [OptionProblem] {
        options.sorted { $0.key < $1.key }.compactMap { option, value in
            guard ["contextLength", "slots"].contains(option) else {
                return OptionProblem(option: option, message: "unknown option '\(option)'")
            }
            if case .integer(let number) = value, number > 0 { return nil }
            return OptionProblem(option: option, message: "'\(option)' must be a positive integer")
        }
    }

    package func open(_ opening: ModelOpening) throws -> LoadedModel {
        try self.control.load()
        guard !self.wrongFiles.contains(opening.file) else {
            throw MartletError("ModelUnreadable", "'\(opening.file)' is not a scripted model")
        }
        if let problem = self.problems(inOptions: opening.options).first {
            throw MartletError("InvalidOption", problem.message)
        }
        var description = self.description
        if case .integer(let value) = opening.options["contextLength"] { description.contextLength = Int(value) }
        if case .integer(let value) = opening.options["slots"] { description.slots = Int(value) }
        return .language(
            ScriptedModel(
                description: description,
                adapters: opening.adapters.map(\.name),
                batchLimit: self.batchLimit,
                control: self.control,
                answer: self.answer
            )
        )
    }
}
