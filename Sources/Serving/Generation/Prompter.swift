internal import Planning
internal import Schema

/// Turns prompts into tokens, and refuses what the context cannot hold: nothing is ever cut off.
struct Prompter: Sendable {
    private let description: ModelDescription
    /// The template of conversations; nil where it is not known.
    let template: ChatTemplate?
    /// Whether a conversation starts with the beginning token, whatever the tokenizer's own habit.
    private let templateNamesBeginning: Bool

    /// - Parameter chatTemplate: in place of the one that the model carries.
    init(description: ModelDescription, chatTemplate: ChatTemplate?) {
        self.description = description
        let source = description.chatTemplate
        self.template = chatTemplate ?? source.flatMap(ChatTemplate.init(detectedIn:))
        self.templateNamesBeginning = source?.contains("bos_token") ?? false
    }

    /// Whether conversations can be put into tokens.
    var knowsChat: Bool { self.template != nil }

    /// Throws `CannotGenerate`, `EmptyPrompt`, `PromptTooLong`, and what is wrong with a conversation.
    ///
    /// - Parameter start: the template's text with which the answer to a conversation begins.
    func tokens(
        of prompt: CompletionRequest.Prompt,
        start: String = "",
        by model: any LanguageModel
    ) throws -> [Token] {
        guard self.description.generates else {
            throw MartletError("CannotGenerate", "this model writes no text; it gives embeddings only")
        }
        let tokens: [Token]
        switch prompt {
        case .text(let text):
            let beginning = self.beginning(of: model, isWanted: self.description.addsBeginningToken)
            tokens = beginning + (try model.tokenize([TextSegment(text, parseSpecial: false)]))
        case .chat(let messages):
            let segments = try self.knownTemplate().render(messages, start: start)
            let isWanted = self.description.addsBeginningToken || self.templateNamesBeginning
            tokens = self.beginning(of: model, isWanted: isWanted) + (try model.tokenize(segments))
        }
        guard !tokens.isEmpty else { throw MartletError("EmptyPrompt", "the prompt is empty") }
        guard tokens.count <= self.description.contextLength else {
            throw MartletError.promptTooLong("the prompt", tokens.count, limit: self.description.contextLength)
        }
        return tokens
    }

    /// Throws `NoEmbeddings`, `EmptyPrompt`, `PromptTooLong`.
    func tokens(ofTextsToEmbed texts: [String], limit: Int, by model: any LanguageModel) throws -> [[Token]] {
        guard self.description.embeddingWidth != nil else {
            throw MartletError("NoEmbeddings", "this model gives no embeddings; serve one that was made for them")
        }
        let beginning = self.beginning(of: model, isWanted: self.description.addsBeginningToken)
        let ending = model.endingToken.map { [$0] } ?? []
        return try texts.enumerated().map { index, text in
            let content = try model.tokenize([TextSegment(text, parseSpecial: false)])
            guard !content.isEmpty else { throw MartletError("EmptyPrompt", "text \(index + 1) is empty") }
            let tokens = beginning + content + ending
            guard tokens.count <= limit else {
                throw MartletError.promptTooLong("text \(index + 1)", tokens.count, limit: limit)
            }
            return tokens
        }
    }

    private func beginning(of model: any LanguageModel, isWanted: Bool) -> [Token] {
        guard isWanted, let token = model.beginningToken else { return [] }
        return [token]
    }

    private func knownTemplate() throws -> ChatTemplate {
        if let template = self.template { return template }
        let trouble =
            self.description.chatTemplate == nil
            ? "the model carries no chat template" : "the model's chat template is none that is known here"
        throw MartletError(
            "UnknownChatTemplate",
            "\(trouble); set the model's options.chatTemplate to the one that it was trained with: "
                + ChatTemplate.knownNames
        )
    }
}

extension MartletError {
    /// - Parameter subject: what is too long.
    static func promptTooLong(_ subject: String, _ count: Int, limit: Int) -> MartletError {
        MartletError("PromptTooLong", "\(subject) has \(count) tokens, the context holds \(limit)")
    }
}
