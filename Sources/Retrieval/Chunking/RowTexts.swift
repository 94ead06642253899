internal import Planning
internal import Schema

/// Makes a section of each row of a table or of JSON lines: `column: value` on lines of their own.
enum RowTexts {
    static func read(_ document: [UInt8], isTable: Bool, path: String, into text: inout DocumentText) throws {
        if isTable {
            try self.readTable(document, path: path, into: &text)
        } else {
            try self.readLines(document, into: &text)
        }
    }

    private static func readLines(_ document: [UInt8], into text: inout DocumentText) throws {
        for line in document.split(separator: UInt8(ascii: "\n"))
        where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            let row: JSONValue
            do {
                row = try JSONValue(parsing: Array(line))
            } catch {
                throw DocumentText.Unreadable(
                    offset: line.startIndex + error.offset,
                    message: "not a JSON value on one line: \(error.problem)"
                )
            }
            let members = (row.object ?? ["": row]).sorted { $0.key < $1.key }
            self.append(members.map { ($0.key, $0.value.string ?? $0.value.canonicalJSON) }, line.indices, &text)
        }
    }

    private static func readTable(_ document: [UInt8], path: String, into text: inout DocumentText) throws {
        let rows = try CSVTable.parse(document, path: path)
        guard let header = rows.first else { return }
        for row in rows.dropFirst() { self.append(Array(zip(header.cells, row.cells)), row.bytes, &text) }
    }

    private static func append(_ members: [(name: String, text: String)], _ row: Range<Int>, _ text: inout DocumentText)
    {
        let filled = members.filter { !$0.text.isEmpty }
        text.beginSection()
        // One column alone needs no name.
        let lines = members.count == 1 ? filled.map(\.text) : filled.map { "\($0.name): \($0.text)" }
        text.append(lines.joined(separator: "\n") + "\n", for: row)
    }
}
