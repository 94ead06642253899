package import Planning

/// The vocabulary of the scripted engine: one token for each byte, then the special tokens.
///
/// A character beyond ASCII is several tokens, so a runtime that shows half characters is found out.
package struct ScriptedVocabulary: Sendable {
    /// Spellings of the special tokens; the first has id 256.
    package static let specials = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin|>"]
    package static let imStart: Token = 256
    package static let imEnd: Token = 257
    package static let endOfText: Token = 258
    package static let begin: Token = 259
    package static let size = 256 + specials.count

    /// Tokenizes one segment; special tokens are recognised only where `parseSpecial` says so.
    package static func tokenize(_ segment: TextSegment) -> [Token] {
        let bytes = Array(segment.text.utf8)
        guard segment.parseSpecial else { return bytes.map(Token.init) }
        var tokens: [Token] = []
        var index = 0
        while index < bytes.count {
            if let special = ScriptedVocabulary.special(startingAt: index, of: bytes) {
                tokens.append(special)
                index += ScriptedVocabulary.specials[Int(special) - 256].utf8.count
            } else {
                tokens.append(Token(bytes[index]))
                index += 1
            }
        }
        return tokens
    }

    /// The bytes of a token; special tokens and unknown ids give none.
    package static func bytes(of token: Token) -> [UInt8] {
        UInt8(exactly: token).map { [$0] } ?? []
    }

    /// The text of tokens, with special tokens spelt out, as tests like to read it.
    package static func text(of tokens: some Sequence<Token>) -> String {
        var bytes: [UInt8] = []
        for token in tokens {
            if let byte = UInt8(exactly: token) {
                bytes.append(byte)
            } else if ScriptedVocabulary.specials.indices.contains(Int(token) - 256) {
                bytes += Array(ScriptedVocabulary.specials[Int(token) - 256].utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func special(startingAt index: Int, of bytes: [UInt8]) -> Token? {
        guard bytes[index] == UInt8(ascii: "<") else { return nil }
        let match = ScriptedVocabulary.specials.firstIndex { bytes[index...].starts(with: $0.utf8) }
        return match.map { Token(256 + $0) }
    }
}
