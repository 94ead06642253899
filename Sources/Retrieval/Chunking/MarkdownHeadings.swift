/// Finds the headings of Markdown: lines that begin with one to six `#` and a space, outside of fenced code.
enum MarkdownHeadings {
    /// Where sections begin, each with its heading; the first one at 0.
    static func sections(of document: [UInt8]) -> [Int] {
        var sections = [0]
        var fence: ArraySlice<UInt8>?
        var start = 0
        while start < document.count {
            let end = document[start...].firstIndex(of: UInt8(ascii: "\n")) ?? document.count
            let line = document[start..<end].drop { $0 == UInt8(ascii: " ") }
            let mark = self.fence(of: line)
            if let open = fence {
                if let mark, mark.first == open.first, mark.count >= open.count { fence = nil }
            } else if let mark {
                fence = mark
            } else if start > 0, self.isHeading(line) {
                sections.append(start)
            }
            start = end + 1
        }
        return sections
    }

    private static func isHeading(_ line: ArraySlice<UInt8>) -> Bool {
        let marks = line.prefix { $0 == UInt8(ascii: "#") }
        guard (1...6).contains(marks.count) else { return false }
        let next = line.dropFirst(marks.count).first
        return next.map { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") } ?? true
    }

    /// The three or more backticks or tildes that a line begins with.
    private static func fence(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let first = line.first, first == UInt8(ascii: "`") || first == UInt8(ascii: "~") else { return nil }
        let mark = line.prefix { $0 == first }
        return mark.count >= 3 ? mark : nil
    }
}
