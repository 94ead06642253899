internal import Schema

/// Reads comma-separated values by RFC 4180: quoted cells may hold commas, line ends and doubled quotes.
package enum CSVTable {
    package struct Row: Hashable {
        /// Where the row begins, from 1.
        package var line: Int
        package var cells: [String]
        /// Where it stands in the file, without its end.
        package var bytes: Range<Int>
    }

    /// Throws ``RowInvalid`` at the row whose quotes have no end.
    package static func parse(_ bytes: [UInt8], path: String) throws(RowInvalid) -> [Row] {
        var rows: [Row] = []
        var (row, cell) = (Row(line: 1, cells: [], bytes: 0..<0), [UInt8]())
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
            row = Row(line: line, cells: [], bytes: index..<index)
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
            case (UInt8(ascii: "\n"), false):
                row.bytes = row.bytes.lowerBound..<(index - 1)
                endRow()
            default: cell.append(byte)
            }
        }
        guard !isQuoted else {
            let place = SourceLocation(path: path, line: row.line, column: 1)
            throw RowInvalid(location: place, message: "a quoted cell of this row has no end")
        }
        row.bytes = row.bytes.lowerBound..<bytes.count
        endRow()
        return rows
    }
}
