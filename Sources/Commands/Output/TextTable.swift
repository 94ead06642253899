internal import Schema

/// Columns of text, aligned by the widest cell, as kubectl prints them.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String]) {
        self.rows = [header]
    }

    mutating func add(_ cells: [String]) {
        self.rows.append(cells.map { PlainText.line($0) })
    }

    /// One line for each row, without trailing white space; on a terminal, the words of a status have their colours.
    func render(colour: Bool = CommandEnvironment.current.colour) -> String {
        let columns = self.rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            self.rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        let statuses = self.rows[0].indices.filter { ["SYNC", "HEALTH"].contains(self.rows[0][$0]) }
        return self.rows.map { row in
            let cells = row.enumerated().map { index, cell in
                let isPainted = colour && statuses.contains(index)
                return (isPainted ? StatusColour.paint(cell) : cell)
                    + String(repeating: " ", count: widths[index] - cell.count)
            }
            let line = cells.joined(separator: "   ")
            return String(line.reversed().drop(while: { $0 == " " }).reversed())
        }.joined(separator: "\n")
    }
}
