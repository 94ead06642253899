import Testing

@testable import Serving

struct StopScannerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var stops: [String]
        var answer: String
        var isStopped: Bool

        var testDescription: String { "'\(self.text)' before \(self.stops)" }
    }

    private static let cases = [
        Case(text: "one two three", stops: ["two"], answer: "one ", isStopped: true),
        Case(text: "one two three", stops: ["four"], answer: "one two three", isStopped: false),
        Case(text: "one two three", stops: [], answer: "one two three", isStopped: false),
        Case(text: "one", stops: [""], answer: "one", isStopped: false),
        Case(text: "one\n\ntwo", stops: ["\n\n"], answer: "one", isStopped: true),
        Case(text: "ends with a beginnin", stops: ["beginning"], answer: "ends with a beginnin", isStopped: false),
        Case(text: "aaab", stops: ["aab"], answer: "a", isStopped: true),
        Case(text: "abcd", stops: ["bcd", "c"], answer: "ab", isStopped: true),
        Case(text: "abcd", stops: ["c", "bc"], answer: "a", isStopped: true),
        Case(text: "Grüße", stops: ["ß"], answer: "Grü", isStopped: true),
    ]

    @Test("The answer ends before the first stop text, however it is cut into tokens", arguments: cases)
    func stops(_ example: Case) {
        let bytes = Array(example.text.utf8)
        for length in 1...bytes.count {
            var scanner = StopScanner(example.stops)
            var answer: [UInt8] = []
            var isStopped = false
            for start in stride(from: 0, to: bytes.count, by: length) where !isStopped {
                isStopped = scanner.append(Array(bytes[start..<min(start + length, bytes.count)]), to: &answer)
            }
            if !isStopped { scanner.finish(into: &answer) }
            #expect(String(decoding: answer, as: UTF8.self) == example.answer, "tokens of \(length) bytes")
            #expect(isStopped == example.isStopped)
        }
    }

    @Test("A beginning of a stop text is held back, and given once it turns out to be none")
    func holdsBack() {
        var scanner = StopScanner(["<end>"])
        var answer: [UInt8] = []
        var results: [Bool] = []
        var answers: [String] = []
        for token in ["a<en", "t<e", "nd>b"] {
            results.append(scanner.append(Array(token.utf8), to: &answer))
            answers.append(String(decoding: answer, as: UTF8.self))
        }
        #expect(results == [false, false, true])
        #expect(answers == ["a", "a<ent", "a<ent"])
    }
}
