internal import NIOCore
internal import Planning

/// Writes log-probabilities in OpenAI's two shapes.
enum LogProbabilities {
    /// The chat shape: `{"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null}`.
    static func writeChat(_ tokens: [TokenLogProbability], to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"content\":")
        buffer.writeJSONArray(tokens) { buffer, token in
            self.writeOpenToken(token, to: &buffer)
            buffer.writeStaticString(",\"top_logprobs\":")
            buffer.writeJSONArray(token.alternatives) { buffer, alternative in
                self.writeOpenToken(alternative, to: &buffer)
                buffer.writeStaticString("}")
            }
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString(",\"refusal\":null}")
    }

    /// The completions shape: four arrays side by side, with offsets in characters from the answer's beginning.
    ///
    /// Returns the offset after the last token, for the next chunk.
    @discardableResult
    static func writeCompletion(
        _ tokens: [TokenLogProbability],
        from offset: Int,
        to buffer: inout ByteBuffer
    ) -> Int {
        buffer.writeStaticString("{\"tokens\":")
        buffer.writeJSONArray(tokens) { $0.writeJSONString($1.text) }
        buffer.writeStaticString(",\"token_logprobs\":")
        buffer.writeJSONArray(tokens) { $0.writeJSONNumber(self.finite($1.logProbability)) }
        buffer.writeStaticString(",\"top_logprobs\":")
        buffer.writeJSONArray(tokens) { buffer, token in
            buffer.writeStaticString("{")
            var written: Set<String> = []
            for alternative in token.alternatives where written.insert(alternative.text).inserted {
                if written.count > 1 { buffer.writeStaticString(",") }
                buffer.writeJSONString(alternative.text)
                buffer.writeStaticString(":")
                buffer.writeJSONNumber(self.finite(alternative.logProbability))
            }
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString(",\"text_offset\":")
        var offset = offset
        buffer.writeJSONArray(tokens) { buffer, token in
            buffer.writeString(String(offset))
            offset += token.text.unicodeScalars.count
        }
        buffer.writeStaticString("}")
        return offset
    }

    /// Writes `{"token", "logprob", "bytes"` and leaves the object open.
    private static func writeOpenToken(_ token: TokenLogProbability, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"token\":")
        buffer.writeJSONString(token.text)
        buffer.writeStaticString(",\"logprob\":")
        buffer.writeJSONNumber(self.finite(token.logProbability))
        buffer.writeStaticString(",\"bytes\":")
        buffer.writeJSONArray(token.bytes) { $0.writeString(String($1)) }
    }

    /// JSON knows no infinity; -9999 stands for "impossible", as it does at OpenAI.
    static func finite(_ logProbability: Double) -> Double {
        logProbability.isFinite ? max(logProbability, -9999) : -9999
    }
}
