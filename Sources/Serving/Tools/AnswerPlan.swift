internal import Planning
internal import Schema

/// How a request with functions or an output format is put to a model that only continues text: the conversation to
/// write, the grammar to obey, and how the text is read.
struct AnswerPlan: Sendable {
    var prompt: CompletionRequest.Prompt
    /// The template's text with which the answer begins.
    var start = ""
    /// GBNF; nil where any text will do.
    var grammar: String?
    /// Reads calls out of the answer's text; nil where there can be none.
    var reader: ToolCallReader?

    /// - Parameters:
    ///   - template: of the model; nil where it is not known.
    ///   - identifiers: makes ids for calls.
    ///
    /// Throws `UnsupportedParameter` for what the model cannot do, and `SchemaUnsupported`.
    init(
        _ request: CompletionRequest,
        template: ChatTemplate?,
        identifiers: @escaping @Sendable () -> String
    ) throws(MartletError) {
        self.prompt = request.prompt
        let tools = request.tools.flatMap { $0.choice == .none ? nil : $0 }
        if case .chat(let messages) = request.prompt, tools != nil || messages.contains(where: \.isOfTools) {
            guard let format = template?.toolFormat else { throw AnswerPlan.unsupportedTools(template) }
            self.prompt = .chat(format.turns(of: messages, offering: tools?.functions ?? []))
            if let tools { try self.offer(tools, in: format, request.format, identifiers) }
        } else if tools != nil {
            throw MartletError("UnsupportedParameter", "'tools' needs a conversation, not a plain text")
        }
        if self.reader == nil { self.grammar = try AnswerPlan.grammar(of: request.format)?.gbnf }
    }

    private mutating func offer(
        _ tools: ToolUse,
        in format: ToolFormat,
        _ output: OutputFormat,
        _ identifiers: @escaping @Sendable () -> String
    ) throws(MartletError) {
        // Only the special token before a list of calls cannot be written by a grammar.
        let mustCall = tools.choice != .auto
        let isOpened = format == .list && mustCall
        self.start = isOpened ? "[TOOL_CALLS] " : ""
        // Checked for its promises, too.
        _ = try AnswerPlan.grammar(of: output)
        let schema = try output.schema()
        self.grammar = try ToolGrammar.grammar(of: tools, in: format, otherwise: schema, isOpened: isOpened).gbnf
        self.reader = ToolCallReader(
            format,
            startsInCalls: isOpened,
            offered: mustCall ? nil : Set(tools.functions.map(\.name)),
            isStructured: !mustCall && schema != nil,
            identifiers: identifiers
        )
    }

    /// The grammar of a format; nil for any text, and for a schema that only can be checked. Throws
    /// `UnsupportedParameter` for a promise that no grammar keeps.
    private static func grammar(of format: OutputFormat) throws(MartletError) -> Grammar? {
        guard let schema = try format.schema() else { return nil }
        guard case .jsonSchema(let named) = format, named.isStrict else {
            return try? SchemaGrammar.grammar(of: schema).grammar
        }
        let (grammar, approximations): (Grammar, [String])
        do throws(MartletError) {
            (grammar, approximations) = try SchemaGrammar.grammar(of: schema)
        } catch {
            throw MartletError("UnsupportedParameter", "'response_format': \(error.message)")
        }
        guard let keyword = approximations.first else { return grammar }
        throw MartletError(
            "UnsupportedParameter",
            "'response_format': the schema's keyword '\(keyword)' cannot be promised; without 'strict' the answer is "
                + "only checked"
        )
    }

    private static func unsupportedTools(_ template: ChatTemplate?) -> MartletError {
        let known = ChatTemplate.allCases.filter { $0.toolFormat != nil }.map(\.rawValue).sorted()
        let template = template.map { "is '\($0.rawValue)'" } ?? "is not known"
        return MartletError(
            "UnsupportedParameter",
            "'tools' is not supported by this model: its chat template \(template), and functions are called by "
                + known.joined(separator: ", ")
        )
    }
}

extension ChatMessage {
    /// Whether the turn calls functions or tells a result.
    fileprivate var isOfTools: Bool { !self.toolCalls.isEmpty || self.toolCallID != nil }
}

extension OutputFormat {
    /// What the answer's text must fit as JSON; nil for any text. Throws `SchemaUnsupported`.
    func schema() throws(MartletError) -> JSONSchema? {
        switch self {
        case .text: nil
        case .jsonObject: JSONSchema(rules: [.types(["object"])])
        case .jsonSchema(let named): try JSONSchema(fromCaller: named.schema)
        }
    }
}
