import Engines
import Foundation
import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// Grammars of random schemas, as the llama engine reads them and writes by them.
@Suite(
    .enabled(if: Pen.engine != nil, "the llama engine is not installed; run scripts/bootstrap"),
    .timeLimit(.minutes(60))
)
struct EngineGrammarFuzzTests {
    @Test("the engine takes every grammar, and what it writes fits", arguments: FuzzInputs.parts(of: 100_000))
    func writing(inputs: FuzzInputs) throws {
        let pen = try Pen()
        defer { pen.close() }
        try inputs.forEach { random in
            let shape = RandomSchema(depth: 3, using: &random)
            guard let schema = try? JSONSchema(shape.whole) else { return }
            let grammar = try SchemaGrammar.grammar(of: schema).grammar
            guard let text = try pen.write(by: grammar, using: &random) else { return }
            var matcher = GrammarMatcher(grammar)
            let isDerived = matcher.matches(text)
            try #require(isDerived, "\(text) of \(shape.whole.canonicalJSON)")
        }
    }

    @Test("the engine takes the grammar of any schema and of any functions", arguments: FuzzInputs.parts(of: 100_000))
    func noise(inputs: FuzzInputs) throws {
        let pen = try Pen()
        defer { pen.close() }
        try inputs.forEach { random in
            let value =
                random.oneIn(2) ? Self.spelling(&random) : SchemaGrammarFuzzTests.noise(depth: 4, using: &random)
            guard let grammar = try Self.grammar(of: value, &random) else { return }
            _ = try pen.write(by: grammar, using: &random)
        }
    }

    /// The grammar of what is taken for a schema, or for what the parameters of functions are; nil where that is refused.
    private static func grammar(of value: JSONValue, _ random: inout SeededRandom) throws -> Grammar? {
        guard let schema = try? JSONSchema(fromCaller: value) else { return nil }
        if random.oneIn(2) { return try? SchemaGrammar.grammar(of: schema).grammar }
        let functions = ["f", "g-1_"].map { ToolFunction(name: $0, parameters: value) }
        let tools = ToolUse(functions, choice: random.pick([.auto, .required, .function("f")]))
        let format = random.pick([ToolFormat.tagged, .bare, .list])
        let answer = random.oneIn(2) ? schema : nil
        return try? ToolGrammar.grammar(of: tools, in: format, otherwise: answer, isOpened: random.oneIn(2))
    }

    /// A schema of names and values in which any character may stand.
    private static func spelling(_ random: inout SeededRandom) -> JSONValue {
        func text() -> String {
            let scalars = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                let highest: UInt32 = random.pick([0x7F, 0x7F, 0xFF, 0xFFFF, 0x10FFFF])
                return Unicode.Scalar(UInt32.random(in: 0...highest, using: &random)) ?? "\\"
            }
            return String(String.UnicodeScalarView(scalars))
        }
        let names = Set((0..<3).map { _ in text() })
        return [
            "properties": .object(Dictionary(uniqueKeysWithValues: names.map { ($0, ["const": .string(text())]) })),
            "required": .array(names.sorted().map { .string($0) }),
            "type": "object",
        ]
    }
}

/// A session of a small model that writes at random, as a grammar lets it.
private struct Pen {
    /// Nil where scripts/bootstrap has not run; tests that need it are skipped then.
    static let engine = try? EngineDirectory(
        searchPath: EngineDirectory.searchPath(environment: ProcessInfo.processInfo.environment)
    ).engine(named: "llama")

    private let model: any LanguageModel
    private let session: any LanguageSession

    init() throws {
        let file = "\(FaultyEngine.repository())Examples/desk/models/deskhand-v2.gguf"
        let options: [String: JSONValue] = ["contextLength": 64, "slots": 1]
        guard case .language(let model) = try Self.engine?.open(ModelOpening(file: file, options: options)) else {
            throw MartletError("WrongKind", "\(file) is no language model")
        }
        self.model = model
        self.session = try model.makeSession()
        let token = try model.tokenize([TextSegment("a", parseSpecial: false)])[0]
        try self.session.decode([BatchEntry(token: token, position: 0, sequence: 0, wantsLogits: true)])
    }

    func close() {
        self.session.close()
        self.model.close()
    }

    /// Writes a text; nil where that is not at its end after a while, or no UTF-8, since the engine takes some characters
    /// in more bytes than they need. Each token is chosen by the same probabilities, which costs no decoding.
    func write(by grammar: Grammar, using random: inout SeededRandom) throws -> String? {
        var sampling = SamplingParameters()
        sampling.temperature = random.pick([1, 3, 100])
        sampling.seed = UInt32.random(in: 0...(.max), using: &random)
        sampling.grammar = grammar.gbnf
        let sampler = try self.session.makeSampler(sampling)
        var bytes: [UInt8] = []
        for _ in 0..<20 {
            let token = try sampler.sample(at: 0)
            if self.model.endsGeneration(token) { return String(validating: bytes, as: UTF8.self) }
            bytes += self.model.bytes(of: token)
        }
        return nil
    }
}
