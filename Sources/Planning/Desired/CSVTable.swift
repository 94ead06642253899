internal import Schema

/// Reads comma-separated values by RFC 4180: quoted cells may hold commas, line ends and doubled quotes.
enum CSVTable {
    struct Row: Hashable {
        /// Where the row begins, from 1.
        var line: Int
        var cells: [String]
    }

    static func parse(_ bytes: [UInt8], path: String) throws(FewShotRows.Malformed) -> [Row] {
        var rows: [Row] = []
        var (row, cell) = (Row(line: 1, cells: []), [UInt8]())
        var (line, isQuoted, wasQuoted) = (1, false, false)
        var index = 0
        func endCell() {
            row.cells.append(String(decoding: cell, as: UTF8.self))
            (cell, wasQuoted) = ([], false)
        }
        func endRow() {
            let isBlank = row.cells.isEmpty && cell.isEmpty && !wasQuoted
            endCell()
            if !isBlank { rows.append(row) }
            row = Row(line: line, cells: [])
        }
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            switch (byte, isQuoted) {
            case (UInt8(ascii: "\""), true):
                if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
                    cell.append(byte)
                    index += 1
                } else {
                    isQuoted = false
                }
            case (UInt8(ascii: "\""), false) where cell.isEmpty: (isQuoted, wasQuoted) = (true, true)
            case (UInt8(ascii: ","), false): endCell()
            case (UInt8(ascii: "\r"), false) where index < bytes.count && bytes[index] == UInt8(ascii: "\n"): continue
            case (UInt8(ascii: "\n"), false): endRow()
            default: cell.append(byte)
            }
        }
        guard !isQuoted else {
            let place = SourceLocation(path: path, line: row.line, column: 1)
            throw FewShotRows.Malformed(location: place, message: "a quoted cell of this row has no end")
        }
        endRow()
        return rows
    }
}
