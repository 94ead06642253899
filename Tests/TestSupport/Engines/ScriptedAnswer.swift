package import Planning
package import Schema

/// What the scripted model says to one request.
package enum ScriptedAnswer: Sendable {
    /// These characters, then the end of the turn.
    case text(String)
    /// These bytes, which need not be whole characters, then the end of the turn.
    case bytes([UInt8])
    /// The same characters over and over; only a limit, a stop text or a cancellation ends it.
    case endless(String)
    /// Sampling throws.
    case fails(MartletError)
}

/// What the scripted model is asked, as its answer function sees it.
package struct ScriptedPrompt: Sendable {
    /// Everything that the sequence's cache held when its first token was sampled.
    package var tokens: [Token]
    /// How the caller wants tokens to be chosen; the script may heed it, the scripted sampler does not.
    package var sampling: SamplingParameters
    /// The adapters in effect, in the order in which they were set.
    package var adapters: [String]

    /// The prompt with special tokens spelt out.
    package var text: String { ScriptedVocabulary.text(of: self.tokens) }

    /// The content of the last user turn of a ChatML conversation, if this is one. Only real special tokens count.
    package var lastUserMessage: String? {
        let header = [ScriptedVocabulary.imStart] + "user\n".utf8.map(Token.init)
        let starts = self.tokens.indices.filter { self.tokens[$0...].starts(with: header) }
        guard let start = starts.last else { return nil }
        let content = self.tokens[(start + header.count)...].prefix { $0 != ScriptedVocabulary.imEnd }
        return ScriptedVocabulary.text(of: content)
    }
}
