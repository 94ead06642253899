internal import Planning
internal import Schema

/// How an OpenAI conversation becomes a chain's input, and the chain's output the answer's text.
struct ChatMapping: Sendable {
    private enum Input: Sendable {
        /// `chat.input`: the chain's input by field.
        case expressions([String: ChainExpression])
        /// The one required string of the chain's input gets the last user message.
        case lastMessage(field: String)
        /// Nothing says how.
        case undefined
    }

    private let input: Input
    /// What a conversation is answered with, over the chain's `output`.
    let output: ChainExpression

    /// Throws `ReferenceInvalid`.
    init(_ chat: EndpointSpec.Chat?, chain: ChainSpec) throws(MartletError) {
        if let members = chat?.input?.object {
            var expressions: [String: ChainExpression] = [:]
            for (field, value) in members { expressions[field] = try ChainExpression(value) }
            self.input = .expressions(expressions)
        } else if let field = ChatMapping.onlyRequiredString(of: chain.input?.schema) {
            self.input = .lastMessage(field: field)
        } else {
            self.input = .undefined
        }
        let output = try chat?.output.map { value throws(MartletError) in try ChainExpression(value) }
        self.output = output ?? .chainOutput
    }

    /// The chain's input for a conversation, or for a plain text, which counts as one user message. Throws
    /// `invalidInput`.
    func input(for prompt: CompletionRequest.Prompt) throws(CallError) -> JSONValue {
        let body = ChatMapping.body(prompt)
        switch self.input {
        case .expressions(let expressions):
            let scope = ChainScope(root: body)
            return .object(expressions.compactMapValues { scope.evaluate($0).value })
        case .lastMessage(let field):
            let messages = body["messages"]?.array ?? []
            guard let last = messages.last(where: { $0["role"] == "user" }), let content = last["content"] else {
                throw CallError(.invalidInput, "there is no user message", parameter: "messages")
            }
            return .object([field: content])
        case .undefined:
            throw CallError(
                .invalidInput,
                "this endpoint does not say how messages become its chain's input: call /v1/chains/ with the chain's "
                    + "own input, or set spec.chat.input"
            )
        }
    }

    /// The answer's text: a string as it is, any other value as canonical JSON; nil when there is none.
    func text(of output: JSONValue) -> String? {
        ChainScope(root: ["output": output]).evaluate(self.output).value?.plainText
    }

    private static func body(_ prompt: CompletionRequest.Prompt) -> JSONValue {
        switch prompt {
        case .chat(let messages):
            ["messages": .array(messages.map(\.recorded))]
        case .text(let text):
            ["messages": [["role": "user", "content": .string(text)]], "prompt": .string(text)]
        }
    }

    private static func onlyRequiredString(of schema: JSONValue?) -> String? {
        let required = schema?["required"]?.array?.compactMap(\.string) ?? []
        let strings = required.filter { schema?["properties"]?[$0]?["type"] == "string" }
        return required.count == 1 ? strings.first : nil
    }
}
