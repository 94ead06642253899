import Planning
import Testing

@testable import Serving

struct AnswerAssemblerTests {
    private func probability(_ text: String) -> TokenLogProbability {
        TokenLogProbability(text: text, bytes: Array(text.utf8), logProbability: -1, alternatives: [])
    }

    @Test("Log-probabilities come with the text that their tokens are part of")
    func probabilitiesWaitForTheirText() {
        var assembler = AnswerAssembler(stop: ["END"])
        let first = assembler.append(Array("aE".utf8), probability: self.probability("aE"))
        #expect(first.text == "a")
        #expect(first.logProbabilities.map(\.text) == ["aE"])
        let second = assembler.append(Array("N".utf8), probability: self.probability("N"))
        #expect(second == AnswerAssembler.Piece())
        let third = assembler.append(Array("x".utf8), probability: self.probability("x"))
        #expect(third.text == "ENx")
        #expect(third.logProbabilities.map(\.text) == ["N", "x"])
    }

    @Test("Tokens of a stop text give neither text nor log-probabilities")
    func stopTextIsSilent() {
        var assembler = AnswerAssembler(stop: ["END"])
        _ = assembler.append(Array("a".utf8), probability: self.probability("a"))
        _ = assembler.append(Array("E".utf8), probability: self.probability("E"))
        let last = assembler.append(Array("ND!".utf8), probability: self.probability("ND!"))
        #expect(last == AnswerAssembler.Piece(text: "", logProbabilities: [], isStopped: true))
    }

    @Test("What was held back comes with the end")
    func finishGivesTheRest() {
        var assembler = AnswerAssembler(stop: ["END"])
        let texts = [assembler.append(Array("x".utf8) + [0xC3], probability: nil).text, assembler.finish().text]
        #expect(texts == ["x", "\u{FFFD}"])
        var other = AnswerAssembler(stop: ["END"])
        let held = other.append(Array("EN".utf8), probability: self.probability("EN"))
        #expect(held == AnswerAssembler.Piece())
        let rest = other.finish()
        #expect(rest.text == "EN")
        #expect(rest.logProbabilities.map(\.text) == ["EN"])
    }
}
