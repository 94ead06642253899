package import Schema

/// A function of the caller's program that a model may ask to be called.
package struct ToolFunction: Sendable, Hashable, Codable {
    /// Letters, digits, `_` and `-`, at most 64.
    package var name: String
    /// What it is good for, in words for the model.
    package var description: String?
    /// The JSON Schema of its arguments, which are one object.
    package var parameters: JSONValue
    /// Whether arguments that fit the schema are promised, rather than only checked.
    package var isStrict: Bool

    package init(
        name: String,
        description: String? = nil,
        parameters: JSONValue = ["type": "object"],
        isStrict: Bool = false
    ) {
        self.name = name
        self.description = description
        self.parameters = parameters
        self.isStrict = isStrict
    }
}

/// Which functions a model must call.
package enum ToolChoice: Sendable, Hashable {
    /// None at all; it only writes text.
    case none
    /// The model decides.
    case auto
    /// At least one.
    case required
    /// The one of that name.
    case function(String)
}

/// The functions that a request offers to a model, and what it must do with them.
package struct ToolUse: Sendable, Hashable {
    /// At least one; names differ.
    package var functions: [ToolFunction]
    package var choice: ToolChoice
    /// Whether one answer may make several calls.
    package var allowsSeveral: Bool

    package init(_ functions: [ToolFunction], choice: ToolChoice = .auto, allowsSeveral: Bool = true) {
        self.functions = functions
        self.choice = choice
        self.allowsSeveral = allowsSeveral
    }
}

/// One call of a function, as it stands in a conversation.
package struct ToolCall: Sendable, Hashable, Codable {
    /// What the result of the call refers to.
    package var id: String
    package var name: String
    /// JSON text, as the model wrote it.
    package var arguments: String

    package init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// A piece of a call that a model makes of a function; the pieces of one call come in order.
package struct ToolCallPiece: Sendable, Hashable {
    /// What the first piece of a call says of it.
    package struct Opening: Sendable, Hashable {
        package var id: String
        package var name: String

        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// Counts the calls of one answer, from 0.
    package var index: Int
    /// On the first piece of a call only.
    package var opening: Opening?
    /// JSON text to append to the call's arguments.
    package var arguments: String

    package init(index: Int, opening: Opening? = nil, arguments: String = "") {
        self.index = index
        self.opening = opening
        self.arguments = arguments
    }
}
