package import Planning
internal import Schema
internal import Synchronization

/// A model of the scripted engine; its weights are a number that its control counts.
package final class ScriptedModel: LanguageModel {
    package let description: ModelDescription
    let adapters: [String]
    let batchLimit: Int
    let control: ScriptedControl
    let answer: @Sendable (ScriptedPrompt) -> ScriptedAnswer
    private let isClosed = Mutex(false)

    init(
        description: ModelDescription,
        adapters: [String],
        batchLimit: Int,
        control: ScriptedControl,
        answer: @escaping @Sendable (ScriptedPrompt) -> ScriptedAnswer
    ) {
        self.description = description
        self.adapters = adapters
        self.batchLimit = batchLimit
        self.control = control
        self.answer = answer
        control.record {
            $0.modelsOpened += 1
            $0.liveBytes += description.weightBytes
        }
    }

    package var beginningToken: Token? { ScriptedVocabulary.begin }

    package func tokenize(_ segments: [TextSegment]) throws -> [Token] {
        try self.requireOpen()
        return segments.flatMap(ScriptedVocabulary.tokenize)
    }

    package func bytes(of token: Token) -> [UInt8] {
        ScriptedVocabulary.bytes(of: token)
    }

    package func endsGeneration(_ token: Token) -> Bool {
        token == ScriptedVocabulary.imEnd || token == ScriptedVocabulary.endOfText
    }

    package func makeSession() throws -> any LanguageSession {
        try self.requireOpen()
        return ScriptedSession(model: self)
    }

    package func close() {
        let wasOpen = self.isClosed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        guard wasOpen else { return }
        self.control.record {
            $0.modelsClosed += 1
            $0.liveBytes -= self.description.weightBytes
        }
    }

    private func requireOpen() throws {
        guard !self.isClosed.withLock({ $0 }) else { throw MartletError("ModelClosed", "the model was closed") }
    }
}
