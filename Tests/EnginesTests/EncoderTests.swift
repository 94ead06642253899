internal import Foundation
internal import Planning
internal import Schema
internal import Testing

/// Encoders give embeddings and nothing else.
@Suite(.serialized, .enabled(if: Installed.llama != nil, "\(Installed.hint)"))
struct EncoderTests {
    static func open(options: [String: JSONValue] = [:]) throws -> any LanguageModel {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/tiny-encoder.gguf")
        guard let llama = Installed.llama,
            case .language(let model) = try llama.open(ModelOpening(file: file.path(), options: options))
        else { throw MartletError("EngineNotInstalled", Installed.hint) }
        return model
    }

    /// A text as its tokenizer wants it, with a token in front and one behind.
    static func entries(_ text: String, _ model: any LanguageModel, sequence: Int32 = 0) throws -> [BatchEntry] {
        let tokens = try model.tokenize([TextSegment(text, parseSpecial: false)])
        let beginning = try #require(model.beginningToken)
        let ending = try #require(model.endingToken)
        return GreedyPrompt.entries([beginning] + tokens + [ending], sequence: sequence)
    }

    @Test func describesAnEncoder() throws {
        let model = try Self.open()
        defer { model.close() }
        #expect(model.description.architecture == "bert")
        #expect(!model.description.generates)
        #expect(model.description.embeddingWidth == 8)
        #expect(model.description.addsBeginningToken)
        #expect(model.beginningToken == 2)
        #expect(model.endingToken == 3)
    }

    @Test func batchedTextsDoNotMix() throws {
        let model = try Self.open()
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        let texts = ["a b c", "x", "c b a d e f"]
        try session.decode(
            try texts.enumerated().flatMap { try Self.entries($1, model, sequence: Int32($0)) }
        )
        let together = try texts.indices.map { try session.embedding(ofSequence: Int32($0)) }
        for (text, vector) in zip(texts, together) {
            try session.decode(try Self.entries(text, model))
            let alone = try session.embedding(ofSequence: 0)
            #expect(zip(alone, vector).allSatisfy { abs($0 - $1) < 1e-4 })
        }
        #expect(together[0] != together[1])
        expectError("EmbeddingFailed") { _ = try session.embedding(ofSequence: 3) }
    }

    @Test func encoderSamplesNothing() throws {
        let model = try Self.open()
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        let entries = try Self.entries("a", model)
        try session.decode(entries)
        let sampler = try session.makeSampler(SamplingParameters())
        expectError("ModelUnsupported") { _ = try sampler.sample(at: entries.count - 1) }
    }

    @Test func encoderWithoutEmbeddingsIsRefused() {
        let text = expectError("ModelRefused") { _ = try Self.open(options: ["embeddings": false]) }
        #expect(text.contains("an encoder gives nothing else"))
    }
}
