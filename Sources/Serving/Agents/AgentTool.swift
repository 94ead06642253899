internal import Planning
internal import Schema

/// Something that an agent may do, ready to be done.
struct AgentTool: Sendable {
    /// How a call's arguments become its action's input.
    enum Input: Sendable {
        /// As they are.
        case whole
        /// The member of that name, or the only one that there is.
        case only(String)
        /// The values of a key's columns.
        case key([String])
        /// A call of a server, over the document `{"arguments": …}`.
        case request(query: ChainExpression, body: ChainExpression?)
    }

    /// A call that is not done, in words for the model that made it.
    struct Misuse: Error {
        var message: String

        init(_ message: String) {
            self.message = message
        }
    }

    /// As the model is told of it.
    let function: ToolFunction
    /// The word for what it does: `http`.
    let type: String
    let action: any StepPerformer
    private let schema: JSONSchema
    private let input: Input

    /// - Parameter defaultSchema: of its arguments, where the manifest has none.
    ///
    /// Throws `SchemaUnsupported`.
    init(
        _ spec: ChainSpec.Tool,
        type: String,
        action: any StepPerformer,
        defaultSchema: JSONValue,
        input: Input
    ) throws(MartletError) {
        let schema = spec.input ?? defaultSchema
        self.function = ToolFunction(name: spec.name, description: spec.description, parameters: schema)
        self.type = type
        self.action = action
        self.schema = try JSONSchema(schema)
        self.input = input
    }

    /// What the action gets for a call. Throws ``Misuse`` for arguments that are not what the schema asks for.
    func input(for arguments: JSONValue) throws(Misuse) -> JSONValue {
        guard case .object(let members) = arguments else { throw Misuse("the arguments must be one JSON object") }
        if let problem = self.schema.problems(in: arguments).first {
            throw Misuse("the arguments do not fit the tool's schema: \(problem)")
        }
        switch self.input {
        case .whole: return arguments
        case .only(let name):
            guard let value = members[name] ?? (members.count == 1 ? members.first?.value : nil) else {
                throw Misuse("the arguments must have '\(name)'")
            }
            return .object([name: value])
        case .key(let columns):
            if columns.count > 1 { return ["key": arguments] }
            guard let value = members[columns[0]] ?? (members.count == 1 ? members.first?.value : nil) else {
                throw Misuse("the arguments must have '\(columns[0])'")
            }
            return ["key": value]
        case .request(let query, let body):
            let scope = ChainScope(root: ["arguments": arguments])
            var input: [String: JSONValue] = [:]
            input["query"] = scope.evaluate(query).value
            input["body"] = body.flatMap { scope.evaluate($0).value }
            return .object(input)
        }
    }
}

extension AgentTool {
    static let anyObject: JSONValue = ["type": "object"]

    /// The schema of an object of texts.
    static func object(of names: [String]) -> JSONValue {
        [
            "type": "object", "required": .array(names.map { .string($0) }),
            "properties": .object(Dictionary(names.map { ($0, ["type": "string"]) }) { first, _ in first }),
        ]
    }

    /// The schema of a row's key, whose values may be of any type.
    static func key(of columns: [String]) -> JSONValue {
        [
            "type": "object", "required": .array(columns.map { .string($0) }),
            "properties": .object(Dictionary(columns.map { ($0, [:]) }) { first, _ in first }),
        ]
    }
}

extension AgentTool.Input {
    /// The arguments are the body of a request that has one, and the query of one that has none, unless the manifest says
    /// where they go. Throws `ReferenceInvalid`.
    init(of call: ChainSpec.HTTPCall) throws(MartletError) {
        let arguments = ChainExpression.reference(SingularQuery(segments: [.name("arguments")]))
        let isPlain = call.query.isEmpty && call.body == nil
        let hasBody = !["GET", "DELETE"].contains(call.method)
        let body = try call.body.map { value throws(MartletError) in try ChainExpression(value) }
        self = .request(
            query: isPlain && !hasBody ? arguments : try ChainExpression(.object(call.query)),
            body: isPlain && hasBody ? arguments : body
        )
    }
}
