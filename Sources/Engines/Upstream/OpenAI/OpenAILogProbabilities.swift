internal import Planning
internal import Schema

/// Reads log-probabilities in OpenAI's two shapes.
enum OpenAILogProbabilities {
    /// Those of one choice, none where the value is missing; nil where it is neither shape.
    static func read(_ value: JSONValue?) -> [TokenLogProbability]? {
        guard let value, value != .null else { return [] }
        guard case .object = value else { return nil }
        if let content = value["content"] {
            guard content != .null else { return [] }
            return content.array.flatMap { self.all($0, self.token) }
        }
        return value["tokens"] == nil ? [] : self.completion(value)
    }

    /// The chat shape: `{"token", "logprob", "bytes", "top_logprobs"}`.
    private static func token(_ value: JSONValue) -> TokenLogProbability? {
        guard let text = value["token"]?.string, let logProbability = self.number(value["logprob"]) else { return nil }
        let alternatives = value["top_logprobs"]?.array ?? []
        guard let read = self.all(alternatives, self.token) else { return nil }
        return TokenLogProbability(
            text: text,
            bytes: self.bytes(value["bytes"]) ?? Array(text.utf8),
            logProbability: logProbability,
            alternatives: read
        )
    }

    /// The completions shape: arrays side by side.
    private static func completion(_ value: JSONValue) -> [TokenLogProbability]? {
        guard let tokens = value["tokens"]?.array, let numbers = value["token_logprobs"]?.array,
            tokens.count == numbers.count
        else { return nil }
        let alternatives = value["top_logprobs"]?.array ?? []
        return self.all(Array(tokens.indices)) { index in
            guard let text = tokens[index].string, let number = self.number(numbers[index]) else { return nil }
            let others = index < alternatives.count ? alternatives[index].object ?? [:] : [:]
            let read = others.compactMap { text, number in
                self.number(number).map { self.plain(text, $0) }
            }
            return TokenLogProbability(
                text: text,
                bytes: Array(text.utf8),
                logProbability: number,
                alternatives: read.sorted { ($1.logProbability, $0.text) < ($0.logProbability, $1.text) }
            )
        }
    }

    private static func plain(_ text: String, _ logProbability: Double) -> TokenLogProbability {
        TokenLogProbability(text: text, bytes: Array(text.utf8), logProbability: logProbability, alternatives: [])
    }

    private static func bytes(_ value: JSONValue?) -> [UInt8]? {
        value?.array.flatMap { self.all($0) { byte in self.number(byte).flatMap { UInt8(exactly: $0) } } }
    }

    private static func number(_ value: JSONValue?) -> Double? {
        switch value {
        case .integer(let number)?: Double(number)
        case .number(let number)?: number
        case .null?, .bool?, .string?, .array?, .object?, nil: nil
        }
    }

    private static func all<Element, Result>(_ elements: [Element], _ read: (Element) -> Result?) -> [Result]? {
        var results: [Result] = []
        for element in elements {
            guard let result = read(element) else { return nil }
            results.append(result)
        }
        return results
    }
}
