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
        case .retry: self.retries = output.retries
        case .fail, .pass: self.retries = 0
        }
    }

    /// What a model's text is worth.
    enum Verdict: Sendable, Hashable {
        case valid(JSONValue)
        /// Why, in words.
        case invalid(String)
    }

    func judge(_ text: String) -> Verdict {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            return .invalid("the answer is not JSON: \(error)")
        }
        guard let problem = self.schema.problems(in: value).first else { return .valid(value) }
        return .invalid("the answer does not fit the schema: \(problem)")
    }
}
