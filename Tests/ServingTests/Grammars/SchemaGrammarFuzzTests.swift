import Schema
import TestSupport
import Testing

@testable import Serving

/// Random schemas, against what says whether a value fits.
@Suite(.timeLimit(.minutes(60))) struct SchemaGrammarFuzzTests {
    @Test("what the grammar derives fits, and what fits is derived", arguments: FuzzInputs.parts(of: 50_000))
    func agreement(inputs: FuzzInputs) throws {
        try inputs.forEach { try self.agree(&$0) }
    }

    private func agree(_ random: inout SeededRandom) throws {
        let shape = RandomSchema(depth: 3, using: &random)
        let schema: JSONSchema
        do {
            schema = try JSONSchema(shape.whole)
        } catch {
            // Only a schema that is nothing but itself is refused.
            try #require(error.message.contains("only back to itself"))
            return
        }
        let (grammar, approximations) = try SchemaGrammar.grammar(of: schema)
        try #require(approximations == [])
        let texts = GrammarTexts(grammar: grammar)
        var matcher = GrammarMatcher(grammar)
        for _ in 0..<10 {
            let derived = texts.write(using: &random)
            let isRead = matcher.matches(derived)
            try #require(isRead, "\(derived) of \(shape.whole.canonicalJSON)")
            // A grammar cannot keep the names of a free object apart.
            if let value = try? JSONValue(parsing: derived) {
                try #require(schema.problems(in: value) == [], "\(derived) of \(shape.whole.canonicalJSON)")
            } else {
                let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: derived) }
                try #require(error?.problem.contains("duplicate key") == true, "\(derived)")
            }
            let fitting = shape.text(of: shape, using: &random)
            try #require(schema.problems(in: try JSONValue(parsing: fitting)) == [])
            let fits = matcher.matches(fitting)
            try #require(fits, "\(fitting) of \(shape.whole.canonicalJSON)")
        }
        // An engine keeps all of them in memory, and tries each for every token.
        try #require(matcher.mostWays < 200, "\(matcher.mostWays) for \(shape.whole.canonicalJSON)")
    }

    @Test("no JSON value that is taken for a schema does harm", arguments: FuzzInputs.parts(of: 1_000_000))
    func noise(inputs: FuzzInputs) throws {
        try inputs.forEach { random in
            let value = Self.noise(depth: 4, using: &random)
            guard let schema = try? JSONSchema(fromCaller: value) else { return }
            _ = schema.problems(in: Self.noise(depth: 3, using: &random))
            guard let grammar = try? SchemaGrammar.grammar(of: schema).grammar else { return }
            try #require(grammar.size <= Grammar.maximumSize)
            try #require(grammar.gbnf.hasPrefix("root ::= "))
            _ = GrammarTexts(grammar: grammar).write(using: &random)
        }
    }

    /// A JSON value made of what schemas are made of.
    static func noise(depth: Int, using random: inout SeededRandom) -> JSONValue {
        let words = JSONSchemaKeyword.allCases.map(\.rawValue) + ["$defs", "title"]
        let texts = ["string", "object", "array", "integer", "#", "#/$defs/a", "#/properties/a", "^a", "a"]
        switch Int.random(in: 0..<(depth > 0 ? 8 : 4), using: &random) {
        case 0: return .string(random.pick(texts))
        case 1: return .integer(random.pick([-1, 0, 1, 2, 5000, .max, .min]))
        case 2: return random.pick([.null, .bool(true), .bool(false), .number(0.5), .number(1e300)])
        case 3: return .array((0..<3).map { _ in .string(random.pick(texts)) })
        case 4: return .array((0..<2).map { _ in self.noise(depth: depth - 1, using: &random) })
        default:
            let pairs = (0..<4).map { _ in
                (random.pick(words + ["a"]), self.noise(depth: depth - 1, using: &random))
            }
            return .object(Dictionary(pairs, uniquingKeysWith: { $1 }))
        }
    }
}
