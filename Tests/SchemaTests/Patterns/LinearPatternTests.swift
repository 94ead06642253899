import Schema
import Testing

struct LinearPatternTests {
    private func occurrences(_ pattern: String, in text: String) throws -> [String] {
        let scalars = Array(text.unicodeScalars)
        return try LinearPattern(pattern).occurrences(in: scalars).map { range in
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[range])
            return String(view)
        }
    }

    @Test(
        "what covers a text",
        arguments: [
            ("abc", "xabcabcx", ["abcabc"]), ("a.c", "abc a\nc", ["abc"]), ("(?s)a.c", "a\nc", ["a\nc"]),
            ("a|bc|d", "abcd", ["abcd"]), ("colou?r", "color colour colouur", ["color", "colour"]),
            ("ab*", "a abb b", ["a", "abb"]), ("ab+", "a abb b", ["abb"]), ("a{2}", "a aa aaa", ["aa", "aaa"]),
            ("a{2,}", "aaaa a", ["aaaa"]), ("^a{1,2}$", "aaa", []), ("a{,2}", "a{,2}", ["a{,2}"]), ("{", "{", ["{"]),
            ("\\b\\d{4}\\b", "1234 12345 x1234 9876.", ["1234", "9876"]), ("\\Ba", "a ba", ["a"]),
            ("\\w+", "Zoë_1, 你好", ["Zoë_1", "你好"]), ("\\s", "a \t", [" \t"]), ("\\D\\S\\W", "1a!", []),
            ("\\d", "٣ x", ["٣"]), ("[a-c]+", "abcd", ["abc"]), ("[^a-c]+", "abcd", ["d"]), ("[]x]", "]", ["]"]),
            ("[\\d.-]+", "1-2.3x", ["1-2.3"]), ("[+*?]", "*", ["*"]), ("(?i)ignore", "IgNoRe", ["IgNoRe"]),
            ("(?i)[^a]", "A", []), ("(?i:a)b", "Ab AB", ["Ab"]), ("a(?i)b|c", "aB C", ["aB", "C"]),
            ("(?i)straße", "STRAßE", ["STRAßE"]), ("(?i)é", "É", ["É"]), ("^b", "a\nb", []),
            ("(?m)^b$", "a\nb\nc", ["b"]),
            ("\\Ab\\z", "b", ["b"]), ("\\x41\\u00e9\\u{1F600}", "Aé😀", ["Aé😀"]), ("(?:ab)+", "ababa", ["abab"]),
            ("(?<name>a)(?P<other>b)", "ab", ["ab"]), ("a*", "b", []), ("(a*)*b", "aab", ["aab"]),
            ("a.*?b", "a b b", ["a b b"]), ("", "abc", []), ("a|", "a", ["a"]), ("(|a)b", "ab", ["ab"]),
            ("a\\.b\\/\\\\", "a.b/\\", ["a.b/\\"]), ("[a\\]]+", "a]", ["a]"]), ("(?-i)a", "A", []),
        ] as [(String, String, [String])]
    )
    func covers(pattern: String, text: String, expected: [String]) throws {
        #expect(try self.occurrences(pattern, in: text) == expected)
        #expect(try LinearPattern(pattern).occurs(in: Array(text.unicodeScalars)) == !expected.isEmpty)
    }

    @Test(
        "what cannot be matched in bounded time, or is no pattern, is refused",
        arguments: [
            "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(?>a)", "(a)\\1", "\\k<a>", "a*+", "a++", "a**", "a{2}{3}", "(a",
            "a)",
            "[a", "[b-a]", "[[a]]", "[a&&b]", "*a", "+", "a\\", "(?x)a", "\\p{L}", "\\u{110000}", "a{1001}", "a{3,2}",
            "(((a{1000}){1000}){1000})", "((){1000}){1000}", "(?<a", "\\xZZ", "{2}",
            String(repeating: "(", count: 40) + String(repeating: ")", count: 40), String(repeating: "a", count: 1001),
        ]
    )
    func refuses(pattern: String) {
        let error = #expect(throws: MartletError.self) { try LinearPattern(pattern) }
        #expect(error?.code == "PatternInvalid")
    }

    /// Each of these takes a matcher that goes back in the text longer than anybody waits.
    @Test(
        "a text cannot make it take long",
        arguments: ["(a+)+$", "(a|a)*b", "(.*a){12}", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y"]
    )
    func isLinear(pattern: String) throws {
        let text = Array(
            (String(repeating: "a", count: 2000) + "!" + String(repeating: "x", count: 2000)).unicodeScalars
        )
        _ = try LinearPattern(pattern).occurrences(in: text)
        let isFound = try LinearPattern(pattern).occurs(in: text)
        #expect(isFound == (pattern == "(.*a){12}"))
    }
}
