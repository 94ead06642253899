internal import Schema

/// The formats in which models were taught to see conversations.
///
/// A model carries its template as a program (Jinja); what counts is which of these formats the program writes.
package enum ChatTemplate: String, Sendable, Hashable, CaseIterable {
    case alpaca
    case chatML = "chatml"
    case commandR = "command-r"
    case deepSeek2 = "deepseek-v2"
    case deepSeek3 = "deepseek-v3"
    case gemma
    case granite
    case llama2
    case llama3
    case mistralV1 = "mistral-v1"
    case mistralV3 = "mistral-v3"
    case mistralV7 = "mistral-v7"
    case phi3
    case phi4
    /// ChatML whose results of tools stand in the user's turns.
    case qwen
    case vicuna
    case zephyr

    /// The role of a turn that lists functions, and of one that calls some, where a template has turns of their own for
    /// them.
    static let (toolListRole, toolCallsRole) = ("tools", "tool_calls")

    /// The names that a manifest may use, as a list for people.
    package static var knownNames: String {
        Self.allCases.map(\.rawValue).sorted().joined(separator: ", ")
    }

    /// The template of that name. Throws `InvalidOption` with the known names.
    package init(named name: String) throws {
        guard let template = ChatTemplate(rawValue: name) else {
            throw MartletError(
                "InvalidOption",
                "option 'chatTemplate': unknown template '\(name)'; known are \(Self.knownNames)"
            )
        }
        self = template
    }
}
