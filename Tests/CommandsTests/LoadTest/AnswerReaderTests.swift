import Schema
import TestSupport
import Testing

@testable import Commands

struct AnswerReaderTests {
    private static func events(_ data: String...) -> String {
        data.map { "data: \($0)\n\n" }.joined()
    }

    private static let chat = Self.events(
        #"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
        #"{"choices":[{"delta":{"content":"Go"}}]}"#,
        #"{"choices":[{"delta":{"content":"od"}}]}"#,
        #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9}}"#,
        "[DONE]"
    )

    @Test(
        "A stream tells when its text came and what it has of tokens, however it is cut",
        arguments: [
            (chat, 2, 9),
            (events(#"{"choices":[{"text":"a"}]}"#, #"{"choices":[{"text":""}]}"#, "[DONE]"), 1, nil),
            (events(#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#), 1, nil),
            (events(#"{"text_output":"a"}"#, #"{"text_output":"b"}"#), 2, nil),
            ("event: step.text\n" + events(#"{"step":"reply","text":"a"}"#), 1, nil),
            (
                events(
                    #"{"type":"response.output_text.delta","delta":"a"}"#,
                    #"{"response":{"usage":{"output_tokens":4}}}"#
                ), 1, 4
            ),
            (events("no json", "{}"), 0, nil),
        ] as [(String, Int, Int?)]
    )
    func streamed(body: String, texts: Int, tokens: Int?) {
        for seed in 0..<20 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var reader = AnswerReader(status: 200, isEventStream: true, tokens: nil, countsTokens: false)
            var (rest, now) = (Array(body.utf8)[...], LoadTime(0))
            while !rest.isEmpty {
                let size = Int.random(in: 1...rest.count, using: &random)
                now += 1
                reader.take(rest.prefix(size), at: now)
                rest = rest.dropFirst(size)
            }
            #expect(reader.finish() == nil)
            #expect(reader.texts.count == texts && reader.texts.allSatisfy { (1...now).contains($0) })
            #expect(reader.tokens == tokens)
            #expect(reader.bytes == body.utf8.count)
        }
    }

    @Test(
        "An error behind the first byte is an error",
        arguments: [
            (#"{"error":{"message":"no","code":"engine_failed"}}"#, "engine_failed"),
            (#"{"error":{"message":"no","type":"server_error","code":null}}"#, "server_error"),
            (#"{"error":"no"}"#, "error"),
        ]
    )
    func lateError(event: String, code: String) {
        var reader = AnswerReader(status: 200, isEventStream: true, tokens: nil, countsTokens: false)
        reader.take(Array(Self.events(#"{"text":"a"}"#, event).utf8), at: 1)
        #expect(reader.finish() == LoadTally.Failure(status: 200, code: code))
    }

    @Test(
        "A whole answer is read for what is asked of it",
        arguments: [
            (200, true, #"{"usage":{"completion_tokens":12}}"#, 12, nil),
            (200, false, #"{"usage":{"completion_tokens":12}}"#, nil, nil),
            (200, true, "cut {", nil, nil),
            (
                429, true, #"{"error":{"code":"rate_limit_exceeded"}}"#, nil,
                .init(status: 429, code: "rate_limit_exceeded")
            ),
            (404, false, #"{"error":"no such model"}"#, nil, .init(status: 404, code: nil)),
            (400, false, #"{"code":"BadRequest","title":"no"}"#, nil, .init(status: 400, code: "BadRequest")),
            (502, false, "<html>", nil, .init(status: 502, code: nil)),
        ] as [(Int, Bool, String, Int?, LoadTally.Failure?)]
    )
    func whole(status: Int, countsTokens: Bool, body: String, tokens: Int?, failure: LoadTally.Failure?) {
        var reader = AnswerReader(status: status, isEventStream: false, tokens: nil, countsTokens: countsTokens)
        for byte in body.utf8 { reader.take([byte], at: 1) }
        #expect(reader.finish() == failure)
        #expect(reader.tokens == tokens)
        #expect(reader.bytes == body.utf8.count)
    }

    @Test(
        "What an error says is kept for people, in one line of a bounded length",
        arguments: [
            (#"{"error":{"message":"There is no model 'x'.","code":"model_not_found"}}"#, "There is no model 'x'."),
            (#"{"error":"no such model"}"#, "no such model"),
            (#"{"code":"BadRequest","title":"Bad Request","detail":"say what"}"#, "say what"),
            (#"{"message": "Bad gateway"}"#, "Bad gateway"),
            (#"{"reason": ["none"]}"#, #"{"reason":["none"]}"#),
            ("<html>\n  <b>502</b>\n</html>", "<html> <b>502</b> </html>"),
            (String(repeating: "ä", count: 400), String(repeating: "ä", count: 300) + "…"),
            (" \n", nil),
        ] as [(String, String?)],
        [false, true]
    )
    func message(_ example: (body: String, message: String?), isEvent: Bool) {
        if isEvent, !example.body.hasPrefix(#"{"error""#) { return }
        var reader = AnswerReader(
            status: isEvent ? 200 : 502,
            isEventStream: isEvent,
            tokens: nil,
            countsTokens: false
        )
        reader.take(Array((isEvent ? Self.events(example.body) : example.body).utf8), at: 1)
        #expect(reader.finish() != nil)
        #expect(reader.message == example.message)
    }

    @Test("What a header says of tokens stands")
    func header() {
        var reader = AnswerReader(status: 200, isEventStream: false, tokens: 5, countsTokens: true)
        reader.take(Array(#"{"usage":{"completion_tokens":12}}"#.utf8), at: 1)
        #expect(reader.finish() == nil && reader.tokens == 5)
    }
}
