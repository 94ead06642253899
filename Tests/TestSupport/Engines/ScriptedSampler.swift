package import Planning
internal import Schema

/// Says the script's answer token by token, and checks the cache at each step.
package final class ScriptedSampler: TokenSampler {
    private struct Progress {
        /// What the cache must hold when the next token is sampled.
        var expected: [Token]
        var answer: [Token]
        var repeats: Bool
        var said = 0
    }

    private let session: ScriptedSession
    private let parameters: SamplingParameters
    private var progress: Progress?

    init(session: ScriptedSession, parameters: SamplingParameters) {
        self.session = session
        self.parameters = parameters
    }

    package func sample(at index: Int) throws -> Token {
        let history = try self.session.history(at: index)
        var progress = try self.progress ?? self.begin(with: history)
        guard history == progress.expected else {
            throw self.session.fault(
                "the cache holds '\(ScriptedVocabulary.text(of: history))' where the sampler expects "
                    + "'\(ScriptedVocabulary.text(of: progress.expected))'"
            )
        }
        let token = Self.token(progress.said, of: progress)
        progress.said += 1
        progress.expected.append(token)
        self.progress = progress
        self.session.model.control.record { $0.tokensSampled += 1 }
        return token
    }

    private func begin(with prompt: [Token]) throws -> Progress {
        let question = ScriptedPrompt(tokens: prompt, sampling: self.parameters, adapters: self.session.adapters)
        switch self.session.model.answer(question) {
        case .text(let text): return Progress(expected: prompt, answer: text.utf8.map(Token.init), repeats: false)
        case .bytes(let bytes): return Progress(expected: prompt, answer: bytes.map(Token.init), repeats: false)
        case .endless(let text): return Progress(expected: prompt, answer: text.utf8.map(Token.init), repeats: true)
        case .fails(let error): throw error
        }
    }

    private static func token(_ index: Int, of progress: Progress) -> Token {
        guard !progress.answer.isEmpty else { return ScriptedVocabulary.imEnd }
        if progress.repeats { return progress.answer[index % progress.answer.count] }
        return index < progress.answer.count ? progress.answer[index] : ScriptedVocabulary.imEnd
    }
}
