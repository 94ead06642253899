internal import NIOCore
internal import Planning

/// The two shapes in which OpenAI writes text answers.
enum AnswerFormat: Sendable {
    case chat
    case completion

    /// What ids of answers begin with.
    var idPrefix: String {
        switch self {
        case .chat: "chatcmpl-"
        case .completion: "cmpl-"
        }
    }

    /// `object` of a whole answer.
    var object: StaticString {
        switch self {
        case .chat: "chat.completion"
        case .completion: "text_completion"
        }
    }

    /// `object` of a chunk of a stream.
    var chunkObject: StaticString {
        switch self {
        case .chat: "chat.completion.chunk"
        case .completion: "text_completion"
        }
    }

    /// The body's member that holds the text to answer, for errors about its length.
    var promptParameter: String {
        switch self {
        case .chat: "messages"
        case .completion: "prompt"
        }
    }
}
