import Dispatch
import Planning
import Schema
import Synchronization

@testable import Serving

/// A model whose decodes hang until the test lets them go; an abort does not impress it.
final class StubbornModel: LanguageModel {
    let description = ModelDescription(
        architecture: "stubborn",
        weightBytes: 1,
        sessionBytes: 1,
        contextLength: 16,
        generates: true,
        vocabularySize: 256
    )
    let isInDecode = Latch()
    let isClosed = Latch()
    private let gate = DispatchSemaphore(value: 0)
    private let closedSessions = Mutex(0)

    var beginningToken: Token? { nil }
    var sessionsClosed: Int { self.closedSessions.withLock { $0 } }

    func letGo() { self.gate.signal() }
    func tokenize(_ segments: [TextSegment]) -> [Token] { segments.flatMap { $0.text.utf8.map(Token.init) } }
    func bytes(of token: Token) -> [UInt8] { [UInt8(truncatingIfNeeded: token)] }
    func endsGeneration(_ token: Token) -> Bool { false }
    func makeSession() -> any LanguageSession { Session(model: self) }
    func close() { self.isClosed.open() }

    private final class Session: LanguageSession {
        let batchLimit = 8
        private let model: StubbornModel

        init(model: StubbornModel) {
            self.model = model
        }

        func decode(_ batch: [BatchEntry]) {
            self.model.isInDecode.open()
            self.model.gate.wait()
        }

        func makeSampler(_ parameters: SamplingParameters) -> any TokenSampler { Sampler() }
        func embedding(ofSequence sequence: Int32) -> [Float] { [] }
        func logProbabilities(
            at index: Int,
            of chosen: Token,
            top count: Int
        ) -> (chosen: TokenProbability, top: [TokenProbability]) {
            (TokenProbability(token: chosen, logProbability: 0), [])
        }
        func removeTokens(ofSequence sequence: Int32, from: Int32, to: Int32?) {}
        func copyTokens(fromSequence source: Int32, toSequence target: Int32, length: Int32) {}
        func setAdapters(_ names: [String]) {}
        func abort() {}
        func close() { self.model.closedSessions.withLock { $0 += 1 } }
    }

    private final class Sampler: TokenSampler {
        func sample(at index: Int) -> Token { 65 }
    }
}
