import ManifestYAML
import TestSupport
import Testing

/// `.martletignore`, in agreement with git itself.
struct IgnoreRulesTests {
    /// Files whose names and places tell the rules apart.
    static let files = [
        "a.yaml", "b.yaml", "a.yml", "notes.md", "#hash", "!bang", "trailing ", "back\\slash", "é.yaml", "[x].yaml",
        "draft/a.yaml", "draft/keep.yaml", "draft/deep/a.yaml", "models/a.yaml", "models/draft/a.yaml",
        "models/draft/deep/b.yaml", "models/v1/a.yaml", "models/v2/a.yaml", "models/v10/a.yaml", "models/draft.yaml",
        "x/y/z/models/a.yaml", "build", "x/build/out.yaml", "star*.yaml", "dash-.yaml", "caret^.yaml", "A.yaml",
        "9.yaml", "]close", "with space.yaml", "v-1", "v]1", "xa/yb", "x/a/yb",
    ]

    @Test(
        "the same files are left out as by git",
        arguments: [
            "", "# a comment\n\n   \n", "a.yaml", "*.yaml", "/a.yaml", "/*.yaml", "draft", "draft/", "/draft/",
            "models/draft", "models/draft/", "/models/draft", "build/", "build", "*", "*/", "**", "**/", "/**", "/*",
            "**/draft", "**/draft/a.yaml", "draft/**", "models/**", "models/**/a.yaml", "models/*/a.yaml",
            "x/**/a.yaml", "**/models/**", "x/**/models", "x/**/**/models", "models/**.yaml", "models/dr*t/*.yaml",
            "?.yaml", "models/v?/", "models/v??/a.yaml", "[ab].yaml", "[!a].yaml", "[^a].yaml", "[a-z].yaml",
            "[]x]*", "[!]]*", "[[]x].yaml", "\\[x\\].yaml", "[[:digit:]].yaml", "[[:upper:][:digit:]].yaml",
            "[[:nonsense:]].yaml", "[[:digit].yaml", "[a", "[a-", "[]", "[!", "v[]-]1", "v[+--]1", "[b-a].yaml",
            "[a\\-z].yaml", "[\\]x]close", "x[/a]a/yb", "x?a/yb", "x*yb", "xa/[x-z]b",
            "*.yaml\n!a.yaml", "draft\n!draft/keep.yaml", "draft/*\n!draft/keep.yaml", "*\n!*/\n!*.yaml",
            "*.yaml\n!models/\n", "/*\n!/models\n", "!a.yaml\n*.yaml", "*.yaml\n!*.yaml\nb.yaml",
            "\\#hash", "#hash", "\\!bang", "!bang", "\\a.yaml", "a.yaml\\", "back\\\\slash", "star\\*.yaml",
            "trailing\\ ", "trailing ", "trailing\\  ", "a.yaml   ", "a.yaml\t", "with space.yaml", " a.yaml", "\\",
            "a.yaml\r\nb.yaml\r\n", "\u{FEFF}a.yaml", "a.yaml\n\n\n/b.yaml", "/", "//", "//a.yaml", "draft//", "!",
            "!/",
            "./a.yaml", "../a.yaml", "é.yaml", "?é.yaml", "é*", "??.yaml", "models", "MODELS", "models/v1/a.yaml/",
            "*a*.y*ml", "*****.yaml", "caret[^].yaml", "dash[-].yaml", "a.yaml/**", "models\\/v1", "**/v1/*.yaml",
        ]
    )
    func agreesWithGit(text: String) throws {
        let repository = try TemporaryRepository()
        for file in Self.files { try repository.write(file, "") }
        try repository.write(".gitignore", text)
        let listing = ["ls-files", "-z", "--others", "--ignored", "--exclude-per-directory=.gitignore"]
        let ignored = try repository.git(listing).split(separator: "\0").map(String.init)

        let rules = IgnoreRules(parsing: text)
        let found = Self.files.filter { rules.matches($0, isFolder: false) }
        #expect(Set(found) == Set(ignored).subtracting([".gitignore"]))
    }

    @Test(
        "a pattern for folders leaves out the folder, a file of its name not",
        arguments: [
            ("draft/", true, true), ("draft/", false, false), ("draft", false, true), ("/models/*/", true, false),
        ]
    )
    func folders(text: String, isFolder: Bool, expected: Bool) {
        #expect(IgnoreRules(parsing: text).matches("draft", isFolder: isFolder) == expected)
    }

    @Test("two asterisks within a name are like one, as gitignore(5) has it and git before 2.51 did not")
    func asterisksWithinAName() {
        let rules = IgnoreRules(parsing: "m**/a.yaml")
        #expect(rules.matches("models/a.yaml", isFolder: false))
        #expect(!rules.matches("models/v1/a.yaml", isFolder: false))
    }

    @Test("patterns made to backtrack cost no more than their length")
    func hostilePattern() {
        let lines = ["*a", "**/a/"].map { String(repeating: $0, count: 200) + "b" }
        let rules = IgnoreRules(parsing: lines.joined(separator: "\n"))
        #expect(!rules.matches(String(repeating: "a", count: 4_000), isFolder: false))
        #expect(!rules.matches(Array(repeating: "a", count: 400).joined(separator: "/"), isFolder: false))
    }

    @Test("no rules leave nothing out")
    func none() {
        #expect(!IgnoreRules.none.matches("a.yaml", isFolder: false))
    }
}
