import Planning
import Schema
import Testing

@Suite("Programs in revisions")
struct ProgramPlanningTests {
    private static let desk = VariantID(namespace: "default", endpoint: "desk")
    private static let other = VariantID(namespace: "default", endpoint: "other")

    /// One endpoint whose chain runs programs at every depth, and one whose chain runs none.
    private static func repository() throws -> Repository {
        var repository = try Repository.desk()
        repository.unavailable = .none
        repository.files["tools/main.py"] = "print(1)"
        repository.files["tools/words.txt"] = "hello"
        repository.files["score.py"] = "print(2)"
        repository.files["deep.py"] = "print(3)"
        repository.files["tool.py"] = "print(4)"
        try repository.add(
            .chain,
            "desk",
            [
                "steps": [
                    ["name": "clean", "program": ["path": "tools", "command": ["python3", "main.py"]]],
                    [
                        "name": "both",
                        "parallel": [
                            "steps": [
                                [
                                    "name": "inner",
                                    "ensemble": [
                                        "steps": [
                                            ["name": "a", "program": ["path": "score.py"]], ["name": "b", "set": 1],
                                        ]
                                    ],
                                ],
                                ["name": "deep", "program": ["path": "deep.py", "memory": "1Gi"]],
                            ]
                        ],
                    ],
                    [
                        "name": "agent",
                        "agent": [
                            "model": "deskhand",
                            "tools": [["name": "look", "description": "Looks.", "program": ["path": "tool.py"]]],
                        ],
                    ],
                ]
            ]
        )
        try repository.add(.chain, "plain", ["steps": [["name": "one", "set": 1]]])
        try repository.add(.endpoint, "other", ["serve": ["chain": "plain"], "access": ["anonymous": true]])
        return repository
    }

    @Test("A revision knows the programs of all its steps and tools")
    func programs() throws {
        let graph = try #require(try Self.repository().build().variants[Self.desk])
        #expect(
            graph.programs.map { "\($0.field) \($0.files.path)" } == [
                "spec.steps[0].program tools", "spec.steps[1].parallel.steps[0].ensemble.steps[0].program score.py",
                "spec.steps[1].parallel.steps[1].program deep.py", "spec.steps[2].agent.tools[0].program tool.py",
            ]
        )
        #expect(graph.programs[0].files.files.map(\.path) == ["main.py", "words.txt"])
        #expect(graph.programs[2].memory == ByteCount(bytes: 1 << 30))
        guard case .program(let spec) = graph.chains[0].spec.steps[0].action else {
            Issue.record("no program")
            return
        }
        #expect(graph.program(spec, of: graph.chains[0].identity) == graph.programs[0])
        #expect(graph.program(spec, of: Self.desk.resource) == nil)
    }

    static let changes: [(words: String, change: @Sendable (inout Repository) -> Void, path: String)] = [
        ("a file", { $0.files["score.py"] = "print(9)" }, "score.py"),
        ("a file of a folder", { $0.files["tools/words.txt"] = "bye" }, "tools/words.txt"),
        ("a tool's file", { $0.files["tool.py"] = "print(9)" }, "tool.py"),
        ("a new file of a folder", { $0.files["tools/more.txt"] = "more" }, "tools/more.txt"),
        ("a file less", { $0.files["tools/words.txt"] = nil }, "tools/words.txt"),
    ]

    @Test("A changed file changes the revisions that reach it and no other, and is named", arguments: changes.indices)
    func change(index: Int) throws {
        var repository = try Self.repository()
        let before = repository.build()
        Self.changes[index].change(&repository)
        let after = repository.build(previous: before)
        let (old, new) = (try #require(before.variants[Self.desk]), try #require(after.variants[Self.desk]))
        #expect(old.revision != new.revision, "\(Self.changes[index].words)")
        #expect(before.variants[Self.other] == after.variants[Self.other])
        let diff = RevisionDiff(from: old, to: new)
        #expect(diff.changes.count == 1)
        #expect(diff.changes[0].resource.name == "desk")
        #expect(diff.changes[0].field?.hasSuffix(".program (\(Self.changes[index].path))") == true)
    }

    @Test("A renamed file of a folder is another program, a moved program is the same one")
    func moves() throws {
        var repository = try Self.repository()
        let before = try #require(repository.build().variants[Self.desk])
        repository.files["tools/texts.txt"] = repository.files.removeValue(forKey: "tools/words.txt")
        let renamed = try #require(repository.build().variants[Self.desk])
        #expect(renamed.revision != before.revision && renamed.programs[0].digest != before.programs[0].digest)
        #expect(renamed.programs[1].digest == before.programs[1].digest)
    }

    static let obstacles: [(String, @Sendable (inout Repository) -> Void, String)] = [
        ("a file that is missing", { $0.files["score.py"] = nil }, "there is no 'score.py'"),
        (
            "a folder without a command",
            { $0.files["score.py/main.py"] = $0.files.removeValue(forKey: "score.py") }, "say in 'command'"
        ),
        (
            "too many files",
            { repository in for number in 0...1000 { repository.files["tools/\(number)"] = "" } }, "at most 1000"
        ),
    ]

    @Test("What cannot be a program blocks its chain", arguments: obstacles.indices)
    func obstacle(index: Int) throws {
        var repository = try Self.repository()
        Self.obstacles[index].1(&repository)
        let state = repository.build()
        #expect(state.variants[Self.desk] == nil)
        #expect(state.variants[Self.other] != nil)
        let blocker = try #require(state.blocked[Repository.identity(.chain, "desk")])
        #expect(blocker.message.contains(Self.obstacles[index].2), "\(blocker.message)")
    }
}
