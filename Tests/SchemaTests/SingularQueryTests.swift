internal import Schema
internal import Testing

@Suite struct SingularQueryTests {
    private static let root: JSONValue = [
        "input": ["message": "hi", "a b": 1, "it's": 2, "list": [10, 20, 30], "ö": nil],
        "steps": ["look-up": ["output": ["name": "Zoë"]]],
    ]

    @Test(
        arguments: [
            ("$", root), ("$.input.message", "hi"), ("$['input']['message']", "hi"), ("$[\"input\"].message", "hi"),
            ("$.input['a b']", 1), ("$.input['it\\'s']", 2), ("$.input[\"it's\"]", 2), ("$.input.list[0]", 10),
            ("$.input.list[-1]", 30), ("$.input.list[-3]", 10), ("$.input.ö", nil), ("$.input['\\u00f6']", nil),
            ("$.steps['look-up'].output.name", "Zoë"), ("$ .input\n['message']", "hi"),
        ] as [(String, JSONValue)]
    )
    func selectsOneValue(text: String, value: JSONValue) throws {
        let query = try SingularQuery(text)
        #expect(query.evaluate(on: Self.root) == value)
        #expect(try SingularQuery(query.description) == query)
    }

    @Test(arguments: [
        "$.nothing", "$.input.list[3]", "$.input.list[-4]", "$.input.message[0]", "$.input[0]", "$.input.list.name",
        "$.input.message.length",
    ])
    func selectsNothingWhereThereIsNothing(text: String) throws {
        #expect(try SingularQuery(text).evaluate(on: Self.root) == nil)
    }

    @Test(arguments: [
        ("", 0), ("input", 0), ("@.a", 0), ("$input", 1), ("$.", 2), ("$..a", 2), ("$.*", 2), ("$[*]", 2),
        ("$[?@.a]", 2),
        ("$.1a", 2), ("$.a-b", 3), ("$.a b", 3), ("$[01]", 2), ("$[-0]", 2), ("$[1.5]", 3), ("$[0:1]", 3),
        ("$[0,1]", 3),
        ("$['a'", 5), ("$['a", 4), ("$[a]", 2), ("$[ 0]", 2), ("$['\\x']", 4), ("$['\\\"']", 4), ("$['\\ud83d']", 9),
        ("$[9007199254740992]", 2), ("$.a ", 3), ("$.a.", 4), ("$['a\u{1}']", 4),
    ])
    func refusesWhatTheStandardDoesNotCallSingular(text: String, offset: Int) {
        #expect { try SingularQuery(text) } throws: { ($0 as? SingularQuery.SyntaxError)?.offset == offset }
    }

    @Test(arguments: ["a", "_x1", "ö", "a-b", "a b", "", "'", "\\", "\n", "\u{1}", "1", "日本", "\u{8}\u{c}\u{1f}"])
    func everyNameCanBeSpelt(name: String) throws {
        let query = SingularQuery(segments: [.name(name), .index(-2)])
        #expect(try SingularQuery(query.description) == query)
    }

    @Test(arguments: [("$", true), ("$.a", true), ("$5", true), ("a$", false), ("", false), (" $.a", false)])
    func aDollarInFrontMakesAReference(text: String, isReference: Bool) {
        #expect(SingularQuery.isReference(text) == isReference)
    }
}
