import Foundation
import GRDB
import Planning
import Schema
import Synchronization
import Testing

@testable import Retrieval

@Suite("Feature tables")
struct FeatureTableTests {
    private let shelf = Shelf()

    private func table(
        _ path: String,
        key: [String],
        columns: [String: FeatureTableSpec.ColumnType] = [:],
        freshness: JSONValue? = nil,
        sqlite: (table: String?, query: String?)? = nil,
        writtenAt: Timestamp? = nil
    ) throws -> RevisionGraph.FeatureTable {
        var spec: [String: JSONValue] = ["key": .array(key.map { .string($0) })]
        if let sqlite {
            var source: [String: JSONValue] = ["source": ["uri": .string(path)]]
            source["table"] = sqlite.table.map { .string($0) }
            source["query"] = sqlite.query.map { .string($0) }
            spec["sqlite"] = .object(source)
        } else {
            spec["dataset"] = "orders"
        }
        let identity = ResourceIdentity(.featureTable, namespace: "default", name: "orders")
        spec["freshness"] = freshness
        guard case .featureTable(let typed) = try Resource(identity, spec: .object(spec)).spec else {
            throw MartletError("NoTable", "the spec is of another kind")
        }
        return RevisionGraph.FeatureTable(
            identity: identity,
            digest: Digest(of: []),
            spec: typed,
            artifact: self.shelf.artifact(path),
            format: sqlite == nil ? (path.hasSuffix(".csv") ? .csv : .jsonl) : nil,
            columns: columns,
            writtenAt: writtenAt
        )
    }

    @Test("Rows are found by their keys, typed as the table says")
    func finds() async throws {
        self.shelf.write("o.csv", "country,id,total,gift,note\nDE,7,12.5,true,\"a, b\"\nDE,8,,false,\nFR,7,1,true,x\n")
        let table = try self.table(
            "o.csv",
            key: ["country", "id"],
            columns: ["id": .integer, "total": .number, "gift": .boolean]
        )
        let rows = try await self.shelf.store().rows(table)
        let found = try await rows.row(["DE", 7], columns: nil)
        #expect(found?.values == ["country": "DE", "id": 7, "total": 12.5, "gift": true, "note": "a, b"])
        #expect(found?.age == nil && found?.isStale == false)
        #expect(try await rows.row(["DE", "8"], columns: ["total", "note"])?.values == ["total": .null, "note": ""])
        #expect(try await rows.row(["FR", 7.0], columns: ["id"])?.values == ["id": 7])
        #expect(try await rows.row(["FR", 8], columns: nil) == nil)
        #expect(try await rows.row(["DE\",7", 7], columns: nil) == nil)
    }

    @Test(
        "A key or a column that the table does not have is refused",
        arguments: [
            ([JSONValue](["DE"]), nil, "FeatureKeyInvalid"), (["DE", "x"], nil, "FeatureKeyInvalid"),
            (["DE", .null], nil, "FeatureKeyInvalid"), (["DE", 7], ["ids"], "FeatureColumnUnknown"),
        ]
    )
    func refusesKeys(_ key: [JSONValue], _ columns: [String]?, _ code: String) async throws {
        self.shelf.write("o.csv", "country,id\nDE,7\n")
        let table = try self.table("o.csv", key: ["country", "id"], columns: ["id": .integer])
        let rows = try await self.shelf.store().rows(table)
        let error = await #expect(throws: MartletError.self) { _ = try await rows.row(key, columns: columns) }
        #expect(error?.code == code)
    }

    @Test("Ten thousand rows are each where they belong, in another process too")
    func many() async throws {
        let lines = (0..<10_000).map { #"{"id":"c\#($0)","n":\#($0)}"# }
        self.shelf.write("o.jsonl", lines.joined(separator: "\n"))
        let table = try self.table("o.jsonl", key: ["id"])
        _ = try await self.shelf.store().rows(table)
        let rows = try await self.shelf.store().rows(table)
        #expect(self.shelf.reads.withLock { $0 } == 1)
        for number in stride(from: 0, to: 10_000, by: 37) {
            let row = try await rows.row([.string("c\(number)")], columns: ["n"])
            #expect(row?.values == ["n": .integer(Int64(number))])
        }
        #expect(try await rows.row(["c10000"], columns: nil) == nil)
    }

    static let wrong: [(String, String, String)] = [
        ("o.csv", "id,total\n1,2\n1,3\n", "o.csv:3:1: the key [\"1\"] stands in line 2 already; a key names one row"),
        ("o.csv", "ids,total\n1,2\n", "o.csv:1:1: there is no column 'id'; did you mean 'ids'?"),
        ("o.csv", "id,total\n1,x\n", "o.csv:2:1: 'x' in column 'total' is no integer"),
        ("o.csv", "id,total\n1\n", "o.csv:2:1: this row has 1 cells, the first line names 2"),
        ("o.csv", "", "o.csv:1:1: the file is empty; its first line names the columns"),
        (
            "o.jsonl", "{\"id\":1,\"total\":1}\n\n{\"total\":2}",
            "o.jsonl:3:1: this row has no value in the key's column 'id'"
        ),
        ("o.jsonl", "[1]", "o.jsonl:1:1: a row is a JSON object on one line"),
        ("o.jsonl", "{\"id\":}", "o.jsonl:1:7: not a JSON object on one line"),
    ]

    @Test("What is wrong with a file is said with its place", arguments: FeatureTableTests.wrong)
    func refusesRows(_ path: String, _ text: String, _ message: String) async throws {
        self.shelf.write(path, text)
        let table = try self.table(path, key: ["id"], columns: ["total": .integer])
        let error = await #expect(throws: MartletError.self) { _ = try await self.shelf.store().rows(table) }
        #expect(error?.code == "TableInvalid")
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        #expect(self.shelf.folders.isEmpty)
    }

    @Test("An old row is told as old, or refused", arguments: FeatureTableSpec.Freshness.Reaction.allCases)
    func freshness(_ reaction: FeatureTableSpec.Freshness.Reaction) async throws {
        // Now is 2023-11-14T22:13:20Z.
        self.shelf.write(
            "o.csv",
            "id,at\nnew,2023-11-14T22:13:00Z\nold,2023-11-14 21:13:20\nzone,2023-11-15T00:13:19+02:00\n"
        )
        let limit: JSONValue = ["column": "at", "maxAge": "30m", "onStale": .string(reaction.rawValue)]
        let rows = try await self.shelf.store().rows(self.table("o.csv", key: ["id"], freshness: limit))
        #expect(try await rows.row(["new"], columns: ["id"]) == FeatureRow(values: ["id": "new"], age: .seconds(20)))
        #expect(try await rows.row(["zone"], columns: [])?.age == .seconds(1))
        switch reaction {
        case .warn:
            #expect(
                try await rows.row(["old"], columns: []) == FeatureRow(values: [:], age: .seconds(3600), isStale: true)
            )
        case .fail:
            let error = await #expect(throws: MartletError.self) { _ = try await rows.row(["old"], columns: nil) }
            #expect(error?.code == "FeatureStale")
        }
        let byFile: JSONValue = ["maxAge": "30m"]
        let old = Timestamp(milliseconds: self.shelf.now.milliseconds - 3_600_000)
        let table = try self.table("o.csv", key: ["id"], freshness: byFile, writtenAt: old)
        #expect(try await self.shelf.store().rows(table).row(["new"], columns: [])?.isStale == true)
    }

    // MARK: SQLite

    private func database(_ statements: String) throws -> String {
        try FileManager.default.createDirectory(atPath: self.shelf.folder, withIntermediateDirectories: true)
        let path = "\(self.shelf.folder)/orders of 100%?#.sqlite"
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: statements) }
        try queue.close()
        return path
    }

    @Test("A SQLite file is read by table or by query, and its values keep their types")
    func sqlite() async throws {
        let path = try self.database(
            """
            CREATE TABLE orders(id INTEGER PRIMARY KEY, total REAL, paid INTEGER, note TEXT);
            INSERT INTO orders VALUES(1, 2.5, 1, 'a'), (2, 3, 0, NULL);
            """
        )
        let whole = try self.table(path, key: ["id"], columns: ["paid": .boolean], sqlite: ("orders", nil))
        let rows = try await self.shelf.store().rows(whole)
        #expect(try await rows.row([1], columns: nil)?.values == ["id": 1, "total": 2.5, "paid": true, "note": "a"])
        #expect(try await rows.row([2], columns: ["note"])?.values == ["note": .null])
        let query = "SELECT note AS word, id * 10 AS tens FROM orders WHERE note IS NOT NULL"
        let asked = try self.table(path, key: ["word"], sqlite: (nil, query))
        #expect(try await self.shelf.store().rows(asked).row(["a"], columns: nil)?.values == ["word": "a", "tens": 10])
    }

    static let refusedQueries = [
        "DELETE FROM orders", "UPDATE orders SET id = 9", "ATTACH '/tmp/x' AS x", "PRAGMA writable_schema = 1",
        "CREATE TABLE x(id)", "SELECT 1 AS id; DELETE FROM orders", "WITH x AS (SELECT 1) DELETE FROM orders",
        "SELECT id FROM missing", "SELECT", "SELECT 1 AS other", "SELECT load_extension('x') AS id",
        "SELECT id, id FROM orders", "SELECT x'00' AS id", "SELECT id FROM orders UNION ALL SELECT 1",
        "INSERT INTO orders VALUES (5) RETURNING id",
    ]

    @Test("A query can do nothing but read", arguments: FeatureTableTests.refusedQueries)
    func refusesQueries(_ query: String) async throws {
        let path = try self.database("CREATE TABLE orders(id INTEGER); INSERT INTO orders VALUES(1);")
        let before = FileManager.default.contents(atPath: path)
        let table = try self.table(path, key: ["id"], sqlite: (nil, query))
        let error = await #expect(throws: MartletError.self) { _ = try await self.shelf.store().rows(table) }
        #expect(error?.code == "TableInvalid")
        #expect(FileManager.default.contents(atPath: path) == before)
    }

    @Test("A file that is no database, and a table that is not there, are named")
    func refusesFiles() async throws {
        let path = try self.database("CREATE TABLE orders(id INTEGER)")
        let missing = try self.table(path, key: ["id"], sqlite: ("order", nil))
        let error = await #expect(throws: MartletError.self) { _ = try await self.shelf.store().rows(missing) }
        #expect(error?.message.hasSuffix("there is no table 'order'; did you mean 'orders'?") == true)
        try Data("no database at all".utf8).write(to: URL(filePath: path))
        let broken = await #expect(throws: MartletError.self) {
            _ = try await self.shelf.store().rows(self.table(path, key: ["id"], sqlite: ("orders", nil)))
        }
        #expect(broken?.code == "TableInvalid")
    }
}
