internal import Foundation
internal import Planning
internal import Schema

/// The inputs and answers of a recording.
struct Recording: Sendable {
    private struct Line: Decodable {
        struct Input: Decodable {
            var messages: [ChatMessage]?
            var prompt: String?
            /// Texts that the last message, or the plain text, has in it.
            var contains: Texts?
        }

        /// One text or several.
        struct Texts: Decodable {
            var all: [String]

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                self.all = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
            }
        }

        var input: Input?
        var output: String
        var isDefault: Bool?

        enum CodingKeys: String, CodingKey {
            case input
            case output
            case isDefault = "default"
        }
    }

    private var answers: [CompletionRequest.Prompt: String] = [:]
    /// In the order of their lines.
    private var partialAnswers: [(texts: [String], output: String)] = []
    private var defaultAnswer: String?
    private let file: String

    /// Reads JSON lines; blank ones are skipped. Throws `ModelUnreadable` with the line that is wrong.
    init(lines data: Data, file: String) throws {
        self.file = file
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 > 0x20 }) else { continue }
            func wrong(_ reason: String) -> MartletError {
                MartletError("ModelUnreadable", "recording '\(file)', line \(index + 1): \(reason)")
            }
            let parsed: Line
            do {
                parsed = try JSONDecoder().decode(Line.self, from: line)
            } catch {
                throw wrong("not a JSON object with 'input' and 'output' (\(Recording.reason(of: error)))")
            }
            if let problem = self.adopt(parsed) { throw wrong(problem) }
        }
        guard !self.answers.isEmpty || !self.partialAnswers.isEmpty || self.defaultAnswer != nil else {
            throw MartletError("ModelUnreadable", "recording '\(file)' has no answers")
        }
    }

    /// The answer to an input: that of the same input; else of the first line whose texts are all in the last message;
    /// else the default one. Throws `NoRecordedAnswer`.
    func answer(to prompt: CompletionRequest.Prompt) throws -> String {
        if let answer = self.answers[prompt] { return answer }
        let (input, last) =
            switch prompt {
            case .chat(let messages):
                (messages.last.map { "\($0.role): \($0.content)" } ?? "no messages", messages.last?.content ?? "")
            case .text(let text): (text, text)
            }
        if let partial = self.partialAnswers.first(where: { $0.texts.allSatisfy { last.contains($0) } }) {
            return partial.output
        }
        if let answer = self.defaultAnswer { return answer }
        throw MartletError(
            "NoRecordedAnswer",
            "recording '\(self.file)' has no answer for the input that ends with '\(input.suffix(80))'; "
                + "add a line for it, or one with \"default\": true"
        )
    }

    /// Takes a line over, or says what is wrong with it.
    private mutating func adopt(_ line: Line) -> String? {
        if line.isDefault == true {
            guard line.input == nil else { return "a default answer has no 'input'" }
            guard self.defaultAnswer == nil else { return "there is a second default answer" }
            self.defaultAnswer = line.output
            return nil
        }
        if let texts = line.input?.contains?.all {
            guard line.input?.messages == nil, line.input?.prompt == nil else {
                return "'input' must have one of 'messages', 'prompt' and 'contains'"
            }
            guard !texts.isEmpty, texts.allSatisfy({ !$0.isEmpty }) else { return "'contains' must name a text" }
            self.partialAnswers.append((texts, line.output))
            return nil
        }
        let prompt: CompletionRequest.Prompt
        switch (line.input?.messages, line.input?.prompt) {
        case (let messages?, nil): prompt = .chat(messages)
        case (nil, let text?): prompt = .text(text)
        case (nil, nil), (_?, _?): return "'input' must have one of 'messages', 'prompt' and 'contains'"
        }
        guard self.answers.updateValue(line.output, forKey: prompt) == nil else {
            return "the same input was answered on an earlier line"
        }
        return nil
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type"
        default: "not valid JSON"
        }
    }
}
