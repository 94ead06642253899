internal import Planning
internal import Schema

/// What a model's answer must look like, and what happens when it does not.
struct OutputContract: Sendable {
    let schema: JSONSchema
    /// What engines that can are held to.
    let format: OutputFormat
    let onInvalid: PromptTemplateSpec.Output.OnInvalid
    /// How often the model is asked again after an invalid answer.
    let retries: Int

    /// Nil when the output names no schema. Throws `SchemaUnsupported`.
    init?(_ output: PromptTemplateSpec.Output) throws(MartletError) {
        guard let schema = output.schema else { return nil }
        self.schema = try JSONSchema(schema)
        self.format = .jsonSchema(OutputFormat.NamedSchema(name: "output", schema: schema))
        self.onInvalid = output.onInvalid
        switch output.onInvalid {
        case .retry, .repair: self.retries = output.retries
        case .fail, .pass: self.retries = 0
        }
    }

    /// What a model's text is worth.
    enum Verdict: Sendable, Hashable {
        case valid(JSONValue)
        /// Why, in words.
        case invalid(String)
    }

    /// Judges a text; with `repair`, the JSON in it stands for a text that holds more.
    func judge(_ text: String) -> Verdict {
        let verdict = self.judge(whole: text)
        guard self.onInvalid == .repair, case .invalid = verdict else { return verdict }
        let repaired = EmbeddedJSON.values(in: text).first { self.schema.problems(in: $0).isEmpty }
        return repaired.map { .valid($0) } ?? verdict
    }

    /// What is wrong with a value that was valid before it was changed, in words; nil when it still is.
    func problem(in value: JSONValue) -> String? {
        self.schema.problems(in: value).first.map { "the answer does not fit the schema: \($0)" }
    }

    /// What is asked next, after an answer that is not valid: with `repair` the model sees it, and what is wrong.
    func next(
        _ request: CompletionRequest,
        first: CompletionRequest,
        after text: String,
        _ problem: String
    ) -> CompletionRequest {
        var next = request
        // The same seed would give the same answer again.
        next.sampling.seed = request.sampling.seed.map { $0 &+ 1 }
        guard self.onInvalid == .repair, case .chat(var messages) = first.prompt else { return next }
        // An answer that the template itself begins goes on in the same turn.
        let beginning = messages.last?.role == "assistant" ? messages.removeLast().content : ""
        messages.append(ChatMessage(role: "assistant", content: beginning + text.prefix(Self.longestShown)))
        messages.append(
            ChatMessage(
                role: "user",
                content:
                    "This cannot be used: \(problem). Answer again, with JSON that fits the schema and nothing else."
            )
        )
        next.prompt = .chat(messages)
        return next
    }

    /// How much of an answer the model is shown again, in characters.
    private static let longestShown = 4000

    private func judge(whole text: String) -> Verdict {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            return .invalid("the answer is not JSON: \(error)")
        }
        return self.problem(in: value).map { .invalid($0) } ?? .valid(value)
    }
}
