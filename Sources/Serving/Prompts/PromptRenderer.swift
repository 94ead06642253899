package import Planning
package import Schema

/// One prompt template, compiled: turns values into what a model is asked.
///
/// A value is data: it is put into the text as it is and never read as a template.
package struct PromptRenderer: Sendable {
    private struct Message: Sendable {
        var role: PromptTemplateSpec.Message.Role
        var content: PromptText
    }

    /// What the answer must look like, where the template says so.
    let output: OutputContract?
    let guards: PromptGuards
    private let variables: PromptVariables
    private let opening: [Message]
    private let examples: [ChatMessage]
    private let closing: [Message]
    private let parameters: PromptTemplateSpec.Parameters

    /// Compiles a template with its examples. Throws `TemplateInvalid`, `SchemaUnsupported`, `PatternInvalid`.
    package init(_ template: RevisionGraph.Template) throws(MartletError) {
        let spec = template.spec
        var messages: [Message] = []
        for (index, message) in spec.messages.enumerated() {
            let content = try PromptText(
                message.content,
                place: "\(template.identity), spec.messages[\(index)].content"
            )
            messages.append(Message(role: message.role, content: content))
        }
        let head = messages.prefix { $0.role == .system }
        self.opening = Array(head)
        self.closing = Array(messages.dropFirst(head.count))
        self.variables = try PromptVariables(declared: spec.variables)
        self.parameters = spec.parameters
        self.output = try spec.output.flatMap { output throws(MartletError) in try OutputContract(output) }
        self.guards = try PromptGuards(spec, namespace: template.identity.namespace)
        self.examples = try PromptRenderer.render(
            template.examples,
            asking: messages.last { $0.role == .user }?.content,
            variables: self.variables,
            template: template.identity
        )
    }

    /// Every variable with its value or default. Throws the ``PromptProblem`` of the first wrong value.
    func resolve(_ values: [String: JSONValue]) throws(PromptProblem) -> [String: JSONValue] {
        try self.variables.resolve(values)
    }

    /// The request for these values. Throws the ``PromptProblem`` of the first wrong value.
    func render(_ values: [String: JSONValue], adapters: [String] = []) throws(PromptProblem) -> CompletionRequest {
        let resolved = try self.resolve(values)
        return self.request(asking: self.asked(resolved), resolved, adapters: adapters)
    }

    /// What is asked: the messages behind the template's own opening and examples, filled in.
    func asked(_ resolved: [String: JSONValue]) -> [ChatMessage] {
        self.closing.map { self.fill($0, resolved) }
    }

    private func fill(_ message: Message, _ resolved: [String: JSONValue]) -> ChatMessage {
        ChatMessage(role: message.role.rawValue, content: message.content.render(resolved))
    }

    /// The request that ends with what is asked.
    func request(
        asking asked: [ChatMessage],
        _ resolved: [String: JSONValue],
        adapters: [String] = []
    ) -> CompletionRequest {
        var sampling = SamplingParameters()
        sampling.temperature = self.parameters.temperature
        sampling.topP = self.parameters.topP
        sampling.topK = self.parameters.topK ?? sampling.topK
        sampling.minP = self.parameters.minP ?? sampling.minP
        sampling.seed = self.parameters.seed
        sampling.frequencyPenalty = self.parameters.frequencyPenalty ?? sampling.frequencyPenalty
        sampling.presencePenalty = self.parameters.presencePenalty ?? sampling.presencePenalty
        return CompletionRequest(
            prompt: .chat(self.opening.map { self.fill($0, resolved) } + self.examples + asked),
            sampling: sampling,
            maxTokens: self.parameters.maxTokens,
            stop: self.parameters.stop,
            adapters: adapters,
            format: self.output?.format ?? .text
        )
    }

    /// The few-shot pairs as turns: a text stands as it is, an object fills the template's own user message.
    private static func render(
        _ pairs: [PromptTemplateSpec.Examples.Pair],
        asking question: PromptText?,
        variables: PromptVariables,
        template: ResourceIdentity
    ) throws(MartletError) -> [ChatMessage] {
        var turns: [ChatMessage] = []
        for (index, pair) in pairs.enumerated() {
            let asked: String
            if case .object(let members) = pair.input, let question {
                let known = members.filter { variables.declared[$0.key] != nil }
                do {
                    asked = question.render(try variables.resolve(known))
                } catch {
                    throw MartletError("TemplateInvalid", "\(template), example \(index + 1): \(error.message)")
                }
            } else {
                asked = pair.input.plainText
            }
            turns.append(ChatMessage(role: PromptTemplateSpec.Message.Role.user.rawValue, content: asked))
            turns.append(
                ChatMessage(role: PromptTemplateSpec.Message.Role.assistant.rawValue, content: pair.output.plainText)
            )
        }
        return turns
    }
}

extension JSONValue {
    /// A string as it is, any other value as canonical JSON.
    var plainText: String {
        self.string ?? self.canonicalJSON
    }
}
