internal import Foundation
internal import Schema

/// A streamed chat completion, put together from its server-sent events as they come.
struct StreamedAnswer: Sendable {
    var status: Int
    /// By their names in lower case.
    var headers: [String: String]
    /// What the deltas say together.
    var text = ""
    var finishReason: String?
    var usage: JSONValue?
    /// An error event after the first byte.
    var error: JSONValue?
    /// Whether `data: [DONE]` came, as the last event.
    var isDone = false
    /// Whether something came after `data: [DONE]`, or was no event.
    var isMalformed = false
    private var line: [UInt8] = []

    init(status: Int, headers: [String: String]) {
        self.status = status
        self.headers = headers
    }

    /// The digits in `x-martlet-revision`.
    var revision: String? { self.headers["x-martlet-revision"] }

    /// Whether it is a complete answer that ended as it should.
    var isWhole: Bool {
        self.status == 200 && self.isDone && !self.isMalformed && self.error == nil && self.finishReason != nil
    }

    /// Takes bytes of the body and returns the chunks that they complete.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [JSONValue] {
        var chunks: [JSONValue] = []
        for byte in bytes {
            if byte != UInt8(ascii: "\n") {
                self.line.append(byte)
                continue
            }
            if let chunk = self.endLine() { chunks.append(chunk) }
        }
        return chunks
    }

    private mutating func endLine() -> JSONValue? {
        let text = String(decoding: self.line, as: UTF8.self)
        self.line = []
        if text.isEmpty || text.hasPrefix(":") { return nil }
        guard text.hasPrefix("data: "), !self.isDone else {
            self.isMalformed = true
            return nil
        }
        let data = text.dropFirst("data: ".count)
        if data == "[DONE]" {
            self.isDone = true
            return nil
        }
        guard let chunk = try? JSONDecoder().decode(JSONValue.self, from: Data(data.utf8)) else {
            self.isMalformed = true
            return nil
        }
        self.note(chunk)
        return chunk
    }

    private mutating func note(_ chunk: JSONValue) {
        self.error = chunk["error"] ?? self.error
        if let usage = chunk["usage"], usage != .null { self.usage = usage }
        guard let choice = chunk["choices"]?.array?.first else { return }
        self.text += choice["delta"]?["content"]?.string ?? ""
        self.finishReason = choice["finish_reason"]?.string ?? self.finishReason
    }
}
