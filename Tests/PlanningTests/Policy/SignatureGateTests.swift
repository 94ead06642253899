import Planning
import Testing

@Suite("Signature gate")
struct SignatureGateTests {
    /// A history by first parents, oldest first: what each commit touches, and whose signature it carries.
    struct Commit: Sendable {
        var paths: [String]
        var signer: String?

        init(_ signer: String?, _ paths: String...) {
            self.paths = paths
            self.signer = signer
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var paths: [String]
        /// The first one is what was applied last.
        var history: [Commit]
        /// What differs in the end; nil: all that was touched.
        var differs: [String]?
        var refused: Int?

        init(
            _ name: String,
            guarding paths: [String] = ["**"],
            _ history: [Commit],
            differs: [String]? = nil,
            refuses: Int?
        ) {
            self.testDescription = name
            self.paths = paths
            self.history = history
            self.differs = differs
            self.refused = refuses
        }
    }

    static let cases = [
        Case("a signed commit", [Commit(nil), Commit("ada", "a")], refuses: nil),
        Case("an unsigned commit", [Commit(nil), Commit(nil, "a")], refuses: 1),
        Case(
            "an unsigned commit that leaves files out of reading",
            guarding: ["production/**"],
            [Commit(nil), Commit(nil, "base/.martletignore")],
            refuses: 1
        ),
        Case(
            "an unsigned commit of one of several sources",
            guarding: ["production/**"],
            [Commit(nil), Commit(nil, "shop:staging/a.yaml"), Commit(nil, "shop:production/a.yaml")],
            refuses: 2
        ),
        Case("a stranger's commit", [Commit(nil), Commit("eve", "a")], refuses: 1),
        Case("a signed commit on an unsigned one", [Commit(nil), Commit(nil, "a"), Commit("ada", "b")], refuses: 1),
        Case("an unsigned commit on a signed one", [Commit(nil), Commit("ada", "a"), Commit(nil, "b")], refuses: 2),
        Case("nothing touched", [Commit(nil), Commit(nil)], refuses: nil),
        Case(
            "an unsigned commit that was undone",
            [Commit(nil), Commit(nil, "a"), Commit(nil, "a")],
            differs: [],
            refuses: nil
        ),
        Case("an unguarded path", guarding: ["production/**"], [Commit(nil), Commit(nil, "staging/a")], refuses: nil),
        Case(
            "an unguarded path after a guarded one",
            guarding: ["production/**"],
            [Commit(nil), Commit("ada", "production/a"), Commit(nil, "staging/a")],
            refuses: nil
        ),
        Case(
            "a guarded path before a signed one that is not",
            guarding: ["production/**"],
            [Commit(nil), Commit(nil, "staging/a", "production/a"), Commit("ada", "staging/b")],
            refuses: 1
        ),
    ]

    private static func gate(_ test: Case, continues: Bool = true) -> SignatureGate {
        let rule = SignatureRule(paths: test.paths, keys: SigningKeys(allowedSigners: [1]), origin: "test")
        let names = test.history.indices.map(String.init)
        return SignatureGate(
            rules: [rule],
            SignatureGate.Questions(
                changes: { base, head in
                    let (from, to) = (base.flatMap { Int($0) } ?? -1, Int(head) ?? 0)
                    if to - from > 1 || base == "0", let differs = test.differs { return differs }
                    return test.history[(from + 1)...to].flatMap(\.paths)
                },
                line: { base, head in
                    let steps = names[(Int(base)! + 1)...Int(head)!].reversed().map {
                        CommitLine.Step(commit: $0, firstParent: "\(Int($0)! - 1)")
                    }
                    return CommitLine(steps: steps, continuesBase: continues)
                },
                verdict: { commit, _ in
                    switch test.history[Int(commit)!].signer {
                    case "ada"?: .signed(CommitSigner(name: "ada", keys: ["SHA256:a"]))
                    case let stranger?: .refused("\(stranger) is a stranger")
                    case nil: .refused("no signature")
                    }
                }
            )
        )
    }

    @Test(arguments: Self.cases)
    func judges(_ test: Case) throws {
        let head = "\(test.history.count - 1)"
        let decision = try Self.gate(test).judge(head, after: "0")
        switch decision {
        case .accepted(let signer):
            #expect(test.refused == nil)
            let isJudged = test.differs == nil && test.history.last?.signer == "ada"
            #expect(signer?.name == (isJudged ? "ada" : nil))
        case .refused(let refusal):
            #expect(refusal.commit == test.refused.map(String.init))
            #expect(refusal.origin == "test")
        }
    }

    @Test func firstCommitAloneHasToBeSigned() throws {
        let unsigned = Case("", [Commit(nil, "a"), Commit("ada", "b")], refuses: nil)
        #expect(
            try Self.gate(unsigned).judge("1", after: nil) == .accepted(CommitSigner(name: "ada", keys: ["SHA256:a"]))
        )
        guard case .refused(let refusal) = try Self.gate(unsigned).judge("0", after: nil) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.path == "a" && refusal.reason == "no signature")
    }

    @Test func commitThatDoesNotContinueTheLineHasToBeSignedItself() throws {
        let moved = Case("", guarding: ["a"], [Commit(nil, "a"), Commit(nil, "b")], differs: ["a"], refuses: nil)
        guard case .refused(let refusal) = try Self.gate(moved, continues: false).judge("1", after: "0") else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.commit == "1" && refusal.path == "a")
    }

    @Test func rulesThatNobodyCanSatisfyRefuse() throws {
        let test = Self.cases[0]
        let rule = SignatureRule(paths: ["**"], keys: SigningKeys(), origin: "test", obstacle: "no keys")
        let gate = SignatureGate(
            rules: [rule],
            SignatureGate.Questions(
                changes: { _, _ in ["a"] },
                line: { CommitLine(steps: [.init(commit: $1, firstParent: $0)], continuesBase: true) },
                verdict: { _, _ in .signed(CommitSigner(name: "ada", keys: [])) }
            )
        )
        guard case .refused(let refusal) = try gate.judge("1", after: "0") else {
            Issue.record("\(test) accepted")
            return
        }
        #expect(refusal.reason == "no keys")
    }

    @Test(arguments: [
        ("**", "a", true), ("**", "a/b", true), ("*.yaml", "a/b.yaml", true), ("*.yaml", "a/b.yml", false),
        ("production/**", "production/a/b", true), ("production/**", "production", false),
        ("production/**", "other/production/a", false), ("production", "production/a", true),
        ("production", "x/production/a", true), ("production/", "production/a", true),
        ("production/", "production", false), ("production/**", "production/\u{301}evil.yaml", true),
        ("a/*/c", "a/b/c", true), ("a/*/c", "a/b/d/c", false), ("a/**/c", "a/c", true), ("a/**/c", "a/b/d/c", true),
        ("a/**/c", "a/b/d/c/e", true), ("a/**/c", "a/b/d", false), ("**/c", "a/b/c", true), ("a/b?", "a/bc", true),
        ("a/b?", "a/b", false), ("a/*b*d", "a/xbcd", true), ("a/*b*d", "a/xbc", false),
    ])
    func patternsMatchPaths(_ pattern: String, _ path: String, _ matches: Bool) {
        #expect(PathPattern(pattern).matches(path) == matches)
    }

    @Test func patternsTakeLittleTime() {
        let pattern = PathPattern(String(repeating: "**/a*a*a/", count: 40) + "b")
        #expect(!pattern.matches(String(repeating: "aaaaaaaaaaaaaaaaaaaa/", count: 200) + "c"))
    }
}
