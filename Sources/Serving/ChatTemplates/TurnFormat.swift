/// How one chat template writes turns: the texts before and after what was said, which are the template's own.
struct TurnFormat: Sendable {
    struct Turn: Sendable {
        var before: String
        var after: String

        init(_ before: String, _ after: String) {
            self.before = before
            self.after = after
        }
    }

    /// Where a format without a turn for the system puts what it says.
    enum SystemPlace: Sendable {
        case ownTurn(Turn)
        /// In front of what the user says first.
        case firstUserTurn(Turn)
        /// In front of what the user says last.
        case lastUserTurn(Turn)
    }

    var system: SystemPlace
    var user: Turn
    var assistant: Turn
    /// Nil where the format knows no results of tools.
    var tool: Turn?
    /// Around a list of functions; nil where the system tells of them.
    var toolList: Turn?
    /// Around the assistant's calls of functions; nil where they stand in its usual turn.
    var toolCalls: Turn?
    /// Opens the turn that the model is to write.
    var cue: String
    /// Whether white space around what was said is left out.
    var trims: Bool

    init(
        system: SystemPlace,
        user: Turn,
        assistant: Turn,
        tool: Turn? = nil,
        toolList: Turn? = nil,
        toolCalls: Turn? = nil,
        cue: String,
        trims: Bool = false
    ) {
        self.system = system
        self.user = user
        self.assistant = assistant
        self.tool = tool
        self.toolList = toolList
        self.toolCalls = toolCalls
        self.cue = cue
        self.trims = trims
    }
}

extension TurnFormat {
    /// A format that writes every role's own name between two marks; `tool` is what it calls a tool.
    init(open: String, close: String, after: String, trims: Bool = false, tool: String = "tool") {
        self.system = .ownTurn(Turn("\(open)system\(close)", after))
        self.user = Turn("\(open)user\(close)", after)
        self.assistant = Turn("\(open)assistant\(close)", after)
        self.tool = Turn("\(open)\(tool)\(close)", after)
        self.cue = "\(open)assistant\(close)"
        self.trims = trims
    }
}
