internal import Engines
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// The Swift side of the C ABI, against an engine that does what its file says.
struct PluginEngineTests {
    static func open(_ behaviour: String, options: [String: JSONValue] = [:]) throws -> any LanguageModel {
        let engine = try EngineDirectory(searchPath: [try FaultyEngine.folder()]).engine(named: "faulty")
        let opening = ModelOpening(file: try FaultyEngine.model(behaviour), options: options)
        guard case .language(let model) = try engine.open(opening) else {
            throw MartletError("WrongKind", "no language model")
        }
        return model
    }

    @Test func modelIsDescribed() throws {
        let model = try Self.open("ok")
        #expect(model.description.architecture == "faulty")
        #expect(model.description.chatTemplate == nil)
        #expect(model.description.contextLength == 64)
        #expect(model.beginningToken == nil)
        #expect(model.endingToken == nil)
        #expect(model.bytes(of: 65) == [65])
        #expect(model.bytes(of: 999) == [])
        model.close()
    }

    @Test func engineErrorKeepsItsSentence() {
        let text = expectError("ModelUnreadable") { _ = try Self.open("rotten") }
        #expect(text.contains("the vocabulary is 'rotten'"))
        #expect(text.contains("cannot be opened"))
    }

    @Test(arguments: [JSONValue.null, .array([]), .object([:])])
    func optionMustBePlain(_ value: JSONValue) {
        let text = expectError("InvalidOption") { _ = try Self.open("ok", options: ["a": value]) }
        #expect(text.contains("'a' must be a text, a number, true or false"))
    }

    @Test func modelOutlivesItsClosingWhileASessionIsOpen() throws {
        let model = try Self.open("ok")
        let session = try model.makeSession()
        model.close()
        let sampler = try session.makeSampler(SamplingParameters())
        try session.decode([BatchEntry(token: 1, position: 0, sequence: 0, wantsLogits: true)])
        #expect(try sampler.sample(at: 0) == Token(UInt8(ascii: "a")))
        session.close()
        expectError("SessionClosed") { _ = try sampler.sample(at: 0) }
        expectError("SessionClosed") { try session.decode([]) }
        session.abort()
        session.close()
    }

    @Test func droppedSamplersAreFreedByTheSession() throws {
        let model = try Self.open("ok")
        defer { model.close() }
        let session = try model.makeSession()
        for _ in 0..<100 { _ = try session.makeSampler(SamplingParameters()) }
        session.close()
    }

    @Test func tokenizingGrowsItsBuffer() throws {
        let model = try Self.open("ok")
        defer { model.close() }
        #expect(try model.tokenize([]) == [])
        #expect(try model.tokenize([TextSegment("", parseSpecial: true)]) == [])
        let text = String(repeating: "é", count: 3000)
        #expect(try model.tokenize([TextSegment(text, parseSpecial: false)]).count == 6000)
    }
}
