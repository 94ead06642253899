internal import Schema

/// Columns of text, aligned by the widest cell, as kubectl prints them.
struct TextTable {
    private static let gap = "   "
    /// No column is made narrower than this many characters.
    private static let narrowest = 6

    private var rows: [[String]]
    /// Headers of columns whose texts may be cut.
    private let shortening: Set<String>

    /// - Parameter shortening: Headers of the columns whose texts are cut where a line would not fit the terminal.
    init(_ header: [String], shortening: Set<String> = []) {
        self.rows = [header]
        self.shortening = shortening
    }

    mutating func add(_ cells: [String]) {
        self.rows.append(cells.map { PlainText.line($0) })
    }

    /// One line for each row, without trailing white space; on a terminal, the words of a status have their colours.
    func render(
        colour: Bool = CommandEnvironment.current.colour,
        columns: Int? = CommandEnvironment.current.columns
    ) -> String {
        let widths = self.widths(fitting: columns)
        let statuses = self.indices(of: ["SYNC", "HEALTH"])
        return self.rows.map { row in
            let cells = zip(row, widths).enumerated().map { index, column in
                let (cell, width) = (Self.cut(column.0, to: column.1), column.1)
                return (colour && statuses.contains(index) ? StatusColour.paint(cell) : cell)
                    + String(repeating: " ", count: width - cell.count)
            }
            let line = cells.joined(separator: Self.gap)
            return String(line.reversed().drop(while: { $0 == " " }).reversed())
        }.joined(separator: "\n")
    }

    /// Those of the widest cells, less what the columns that may be shortened have to give up for lines to fit.
    private func widths(fitting columns: Int?) -> [Int] {
        var widths = (0..<(self.rows.map(\.count).max() ?? 0)).map { column in
            self.rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        let candidates = self.indices(of: self.shortening)
        var excess = widths.reduce(0) { $0 + $1 + Self.gap.count } - Self.gap.count - (columns ?? .max)
        while excess > 0, let widest = candidates.max(by: { widths[$0] < widths[$1] }), widths[widest] > Self.narrowest
        {
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private func indices(of headers: Set<String>) -> [Int] {
        self.rows[0].indices.filter { headers.contains(self.rows[0][$0]) }
    }

    private static func cut(_ cell: String, to width: Int) -> String {
        cell.count > width ? cell.prefix(width - 1) + "…" : cell
    }
}
