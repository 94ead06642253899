import Planning
import Schema
import Testing

@Suite("Few-shot rows")
struct FewShotRowsTests {
    private static let desk = VariantID(namespace: "default", endpoint: "desk")

    private func build(_ rows: String, file: String, columns: JSONValue? = nil) throws -> DesiredState {
        var repository = try Repository.desk()
        repository.files[file] = rows
        var spec: [String: JSONValue] = ["source": ["uri": .string(file)]]
        spec["columns"] = columns
        try repository.add(.dataset, "shots", .object(spec))
        return repository.build()
    }

    static let good: [(rows: String, file: String, columns: JSONValue?, pairs: [[JSONValue]])] = [
        ("", "a.jsonl", nil, []),
        (
            "{\"input\":{\"m\":1},\"output\":[2],\"id\":7}\n\n{\"input\":\"x\",\"output\":null}\n", "a.jsonl", nil,
            [
                [["m": 1], [2]], ["x", nil],
            ]
        ),
        ("input,output\na,b\r\n\"c, \"\"d\"\"\",\"e\nf\"\n", "a.csv", nil, [["a", "b"], ["c, \"d\"", "e\nf"]]),
        ("id,output,input\n1,2.5,{}\n", "a.csv", ["input": "json", "output": ["type": "number"]], [[[:], 2.5]]),
        (
            "{\"input\":1,\"output\":2,\"note\":null}\n{\"input\":3,\"output\":4.0,\"note\":\"x\"}", "a.jsonl",
            ["note": ["type": "string", "required": false], "output": "integer"], [[1, 2], [3, 4.0]]
        ),
        ("input,output,note\n1,2,\n", "a.csv", ["note": ["type": "integer", "required": false]], [["1", "2"]]),
        ("input,output\n1,true", "a.CSV", ["input": "integer", "output": "boolean"], [[1, true]]),
    ]

    @Test("Rows become pairs", arguments: good.indices)
    func reads(index: Int) throws {
        let row = Self.good[index]
        let state = try self.build(row.rows, file: row.file, columns: row.columns)
        let template = try #require(state.variants[Self.desk]?.templates.last)
        #expect(template.examples.map { [$0.input, $0.output] } == row.pairs)
    }

    static let bad: [(rows: String, file: String, columns: JSONValue?, message: String)] = [
        ("{\"input\":1,\"output\":2}\nhello", "a.jsonl", nil, "a.jsonl:2:1: error: not a JSON object on one line"),
        ("\n{\"output\":2}", "a.jsonl", nil, "a.jsonl:2:1: error: a row needs the column 'input'"),
        ("[1]", "a.jsonl", nil, "a.jsonl:1:1: error: a row must be a JSON object"),
        (
            "{\"input\":1,\"output\":2}\n{\"input\":1,\"output\":null}", "a.jsonl",
            ["output": ["type": "integer"]], "a.jsonl:2:1: error: a row needs the member 'output'"
        ),
        (
            "{\"input\":\"x\",\"output\":2.5}", "a.jsonl", ["output": "integer"],
            "a.jsonl:1:1: error: 2.5 in column 'output' is no integer"
        ),
        ("input,output\n1,2\n", "a.csv", ["id": "integer"], "a.csv:1:1: error: the first line needs the column 'id'"),
        ("input,output,input\n", "a.csv", nil, "a.csv:1:1: error: the first line names the column 'input' twice"),
        (
            "input,output\n1,\n", "a.csv", ["output": ["type": "string", "required": false]],
            "a.csv:2:1: error: a row needs the column 'output'"
        ),
        ("question,output\n", "a.csv", nil, "a.csv:1:1: error: the first line needs the column 'input'"),
        ("input,output\n1\n", "a.csv", nil, "a.csv:2:1: error: this row has 1 cells, the first line names 2"),
        ("input,output\n1,\"2\n", "a.csv", nil, "a.csv:2:1: error: a quoted cell of this row has no end"),
        ("input,output\nx,1\n", "a.csv", ["input": "integer"], "a.csv:2:1: error: 'x' in column 'input' is no integer"),
    ]

    @Test("A bad row is reported with its file and line, and blocks what uses it", arguments: bad.indices)
    func refuses(index: Int) throws {
        let row = Self.bad[index]
        let state = try self.build(row.rows, file: row.file, columns: row.columns)
        #expect(state.diagnostics.count == 1)
        #expect(state.diagnostics.first?.description.hasPrefix(row.message) == true, "\(state.diagnostics)")
        #expect(state.blocked[Self.desk.resource]?.resource.name == "shots")
        #expect(state.variants.isEmpty)
    }

    @Test("A template says which columns are asked and answered, and how many rows are taken")
    func columns() throws {
        var repository = try Repository.desk()
        repository.files["qa.csv"] = "question,label,input\na,1,x\nb,2,y\nc,3,z\n"
        try repository.add(.dataset, "shots", ["source": ["uri": "qa.csv"], "columns": ["label": "integer"]])
        try repository.change(.promptTemplate, "triage") {
            $0["examples"] = ["dataset": "shots", "limit": 2, "columns": ["input": "question", "output": "label"]]
        }
        let template = try #require(
            repository.build().variants[Self.desk]?.templates.first { $0.identity.name == "triage" }
        )
        #expect(template.examples.map { [$0.input, $0.output] } == [["a", 1], ["b", 2]])
    }
}
