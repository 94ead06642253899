import Planning
import Schema
import Testing

@testable import Serving

struct ChainTextTests {
    static let usage = TokenUsage(promptTokens: 1, completionTokens: 2)

    /// What a sequence of events makes of the answer: its pieces, then the reason for its end.
    private func pieces(_ candidates: [String], _ updates: [ChainUpdate]) throws -> [String] {
        var text = ChainText(candidates: candidates) { $0.plainText }
        return try updates.flatMap { try text.receive($0) }.map { event in
            switch event {
            case .text(let piece, _): piece
            case .toolCall: "<call>"
            case .finished(let reason, _): "<\(reason)>"
            }
        }
    }

    private static func update(_ event: ChainEvent, _ reason: FinishReason? = nil) -> ChainUpdate {
        ChainUpdate(event: event, finishReason: reason)
    }

    private static func end(_ output: JSONValue) -> ChainUpdate {
        self.update(.finished(output: output, usage: self.usage))
    }

    @Test("the words of the one candidate come as they are said, with its reason to end")
    func one() throws {
        let pieces = try self.pieces(
            ["a"],
            [
                Self.update(.stepText("x", "no")), Self.update(.stepText("a", "Hel")),
                Self.update(.stepText("a", "lo")),
                Self.update(.stepFinished("a", output: "Hello"), .length), Self.end("Hello"),
            ]
        )
        #expect(pieces == ["Hel", "lo", "<length>"])
    }

    @Test("a later candidate is kept back until the earlier ones are skipped")
    func keptBack() throws {
        let pieces = try self.pieces(
            ["a", "b"],
            [
                Self.update(.stepText("b", "one ")), Self.update(.stepText("b", "two ")),
                Self.update(.stepSkipped("a")),
                Self.update(.stepText("b", "three")), Self.end("one two three"),
            ]
        )
        #expect(pieces == ["one two ", "three", "<stop>"])
    }

    @Test("candidates that are skipped out of order are passed over all the same")
    func skippedBefore() throws {
        let pieces = try self.pieces(
            ["a", "b", "c"],
            [
                Self.update(.stepText("c", "one ")), Self.update(.stepSkipped("b")),
                Self.update(.stepSkipped("a")),
                Self.update(.stepText("c", "two")), Self.update(.stepFinished("c", output: "one two"), .length),
                Self.end("one two"),
            ]
        )
        #expect(pieces == ["one ", "two", "<length>"])
    }

    @Test("when the earlier candidate speaks, nothing of the later one is heard")
    func overruled() throws {
        let pieces = try self.pieces(
            ["a", "b"],
            [Self.update(.stepText("b", "no")), Self.update(.stepText("a", "yes")), Self.end("yes")]
        )
        #expect(pieces == ["yes", "<stop>"])
    }

    @Test(
        "without streamed words the answer is one piece",
        arguments: [("x", "x"), (["a": 1], "{\"a\":1}")] as [(JSONValue, String)]
    )
    func onePiece(output: JSONValue, expected: String) throws {
        #expect(try self.pieces([], [Self.update(.stepText("a", "no")), Self.end(output)]) == [expected, "<stop>"])
    }

    @Test("an output that makes no text is an error")
    func noText() {
        var text = ChainText(candidates: []) { _ in nil }
        #expect(throws: CallError.self) { try text.receive(Self.end("x")) }
    }
}
