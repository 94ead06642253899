internal import Foundation
internal import Schema
internal import Testing

@Suite struct JSONParserTests {
    @Test(
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .integer(0)), ("-0", .integer(0)),
            ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.0", .number(1)), ("1e2", .number(100)),
            ("-1.5E-2", .number(-0.015)), ("\"\"", ""), ("\"a\\u0041\\n\\/\\\"\"", "aA\n/\""),
            ("\"\\ud83d\\udc26\"", "🐦"),
            ("\"日本\"", "日本"), ("[]", []), ("[1,[2],{}]", [1, [2], [:]]), ("{\"a\":{\"b\":null}}", ["a": ["b": nil]]),
            ("\r\n\t{ \"a\" : 1 , \"b\" : [ ] }", ["a": 1, "b": []]), ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
        ] as [(String, JSONValue)]
    )
    func readsWhatTheStandardSays(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(arguments: [
        ("", 0, "unexpected end of the text"), ("  ", 2, "unexpected end of the text"),
        ("nul", 0, "expected a JSON value"),
        ("01", 0, "a number must not begin with 0"), ("-", 1, "expected a digit"), ("1.", 2, "expected a digit"),
        ("1e+", 3, "expected a digit"), (".5", 0, "expected a JSON value"), ("+1", 0, "expected a JSON value"),
        ("NaN", 0, "expected a JSON value"), ("1e999", 0, "a number is too large"),
        ("[1,]", 3, "expected a JSON value"),
        ("[1 2]", 3, "expected ',' or ']' in an array"), ("[1", 2, "expected ',' or ']' in an array"),
        ("{\"a\" 1}", 5, "expected ':' after a key"), ("{a: 1}", 1, "expected a key in double quotes"),
        ("{\"a\":1,}", 7, "expected a key in double quotes"), ("{\"a\":1,\"a\":2}", 7, "duplicate key 'a'"),
        ("1 2", 2, "unexpected text after the value"), ("\"a", 2, "a string is not closed"),
        ("\"\\x\"", 2, "unknown escape in a string"), ("\"\\u12g4\"", 5, "expected four hexadecimal digits"),
        ("\"\\ud83d\"", 7, "half of a surrogate pair in a string"),
        ("\"\\udc26\"", 7, "half of a surrogate pair in a string"),
        ("\"\\ud83d\\u0041\"", 13, "half of a surrogate pair in a string"),
        ("\"a\nb\"", 2, "a control character in a string must be escaped"), ("'a'", 0, "expected a JSON value"),
        ("\u{FEFF}1", 0, "expected a JSON value"),
    ])
    func saysWhatIsWrongAndWhere(text: String, offset: Int, problem: String) {
        #expect(throws: JSONSyntaxError(offset: offset, problem: problem)) { try JSONValue(parsing: text) }
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        let bytes: [UInt8] = [0x22, 0x61, 0xC3, 0x28, 0x22]
        #expect(throws: JSONSyntaxError(offset: 2, problem: "not UTF-8")) { try JSONValue(parsing: bytes) }
    }

    @Test func depthAndSizeHaveLimits() throws {
        let limits = JSONLimits(depth: 3, bytes: 20)
        #expect(try JSONValue(parsing: "[[[1]]]", limits: limits) == [[[1]]])
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: "[[[[1]]]]", limits: limits) }
        #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: String(repeating: " ", count: 20) + "1", limits: limits)
        }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let value: JSONValue = [
            "text": "a\"b\\c\n\u{1}é🐦", "numbers": [0, -1, 1.5, 1e300, 5e-300], "nested": ["a": [nil, true, [:], []]],
        ]
        #expect(try JSONValue(parsing: value.canonicalJSON) == value)
        #expect(try JSONValue(parsing: value.prettyJSON) == value)
    }

    /// Foundation's parser is the judge, for damaged texts too; where the two differ on purpose is said here.
    @Test func agreesWithAnotherParserOnDamagedTexts() throws {
        let seed = Array(#"{"a": [1, -2.5e3, "x\u00e9\n", null, true], "b": {"c": "日本", "d": [[]]}, "e": 0.1}"#.utf8)
        let bytes = Array(#"{}[]",:\0123456789eE+-.tfnu/ "#.utf8) + [0x0A, 0x7F]
        var random = SplitMix(state: 11)
        var accepted = 0
        for _ in 0..<20_000 {
            var text = seed
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[place] = bytes.randomElement(using: &random) ?? 0
                case 1: text.remove(at: place)
                default: text.insert(bytes.randomElement(using: &random) ?? 0, at: place)
                }
            }
            let other = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            do {
                let value = try JSONValue(parsing: text)
                accepted += 1
                #expect(other != nil, "\(String(decoding: text, as: UTF8.self))")
                #expect(JSONValue(other as Any) == value.withoutIntegers, "\(String(decoding: text, as: UTF8.self))")
            } catch {
                // Foundation takes the last of two keys, and a comma before a closing bracket.
                let isBracket = error.offset < text.count && [0x5D, 0x7D].contains(text[error.offset])
                let isStricter = error.problem.hasPrefix("duplicate key") || isBracket
                #expect(other == nil || isStricter, "\(error): \(String(decoding: text, as: UTF8.self))")
            }
        }
        #expect(accepted > 1000)
    }

    @Test(
        "Arrays under one key can be left for others to read",
        arguments: [
            (#"{"data": [1, [2, "]\""]], "a": [{"data": []}]}"#, [#"[1, [2, "]\""]]"#, "[]"]),
            (#"{"data": 1, "a": [2]}"#, []),
        ] as [(String, [String])]
    )
    func leavesArraysUnread(text: String, left: [String]) throws {
        let bytes = Array(text.utf8)
        let value = try JSONValue(parsing: bytes.span, leaving: "data")
        let places = [value["data"], value["a"]?.array?.first?["data"]].compactMap { $0?.array }
        let found = places.map { ends -> String in
            guard case .integer(let start)? = ends.first, case .integer(let end)? = ends.last else { return "" }
            return String(decoding: bytes[Int(start)..<Int(end)], as: UTF8.self)
        }
        #expect(found == left)
    }

    @Test(
        "Brackets that are left must be in order all the same",
        arguments: [
            #"{"data": [[1]"#, #"{"data": ["a]}"#, #"{"data": ["\"#, #"{"data": [1}"#, #"{"data": [[[[[1]]]]]}"#,
        ]
    )
    func leavesOnlyWholeArrays(text: String) {
        #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: Array(text.utf8).span, leaving: "data", limits: JSONLimits(depth: 5))
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension JSONValue {
    /// Foundation's numbers are compared as doubles; it does not tell true from 1 reliably, so words stay words.
    fileprivate init(_ other: Any) {
        switch other {
        case let text as String: self = .string(text)
        case let elements as [Any]: self = .array(elements.map { JSONValue($0) })
        case let members as [String: Any]: self = .object(members.mapValues { JSONValue($0) })
        case let number as NSNumber: self = .number(number.doubleValue)
        default: self = .null
        }
    }

    fileprivate var withoutIntegers: JSONValue {
        switch self {
        case .bool(let value): .number(value ? 1 : 0)
        case .integer(let value): .number(Double(value))
        case .array(let elements): .array(elements.map(\.withoutIntegers))
        case .object(let members): .object(members.mapValues(\.withoutIntegers))
        case .null, .number, .string: self
        }
    }
}
