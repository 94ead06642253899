internal import Planning
internal import Schema

/// What of a document is indexed, and where each byte of it stands in the document.
struct DocumentText: Sendable, Hashable {
    /// A stretch of the text that stands in one place of the document.
    struct Run: Sendable, Hashable {
        /// Where it begins in the text.
        var start: Int
        /// Where it stands in the document.
        var source: Range<Int>
        /// Whether the text has the document's own bytes; otherwise it stands for all of them.
        var isVerbatim: Bool
    }

    /// Says what is wrong with a document, and where: the offset of a byte.
    struct Unreadable: Error {
        var offset: Int
        var message: String
    }

    /// UTF-8.
    private(set) var bytes: [UInt8] = []
    /// In order; together they cover the text.
    private(set) var runs: [Run] = []
    /// Where sections begin, the first one at 0: under a heading each, or a row each.
    private(set) var sections: [Int] = [0]
    /// Whether no piece may hold text of two sections.
    private(set) var isOfRows = false

    /// Reads a document. Throws `Unreadable` where it is not what its format says.
    init(_ document: [UInt8], format: KnowledgeBaseSpec.Format, path: String) throws {
        if let offset = UTF8Check.firstInvalid(in: document) {
            throw Unreadable(offset: offset, message: "this is no UTF-8 text; leave the file out by 'exclude'")
        }
        switch format {
        case .text:
            self.append(document[...], at: 0)
        case .markdown:
            self.append(document[...], at: 0)
            self.sections = MarkdownHeadings.sections(of: document)
        case .html:
            HTMLReader.read(document, into: &self)
        case .jsonl, .csv:
            self.isOfRows = true
            try RowTexts.read(document, isTable: format == .csv, path: path, into: &self)
        }
    }

    /// Where a piece of the text stands in the document.
    func source(of piece: Range<Int>) -> Range<Int> {
        guard let first = self.run(at: piece.lowerBound), let last = self.run(at: piece.upperBound - 1) else {
            return 0..<0
        }
        let start =
            first.isVerbatim ? first.source.lowerBound + piece.lowerBound - first.start : first.source.lowerBound
        let end = last.isVerbatim ? last.source.lowerBound + piece.upperBound - last.start : last.source.upperBound
        return start..<max(start, end)
    }

    private func run(at offset: Int) -> Run? {
        var (low, high) = (0, self.runs.count)
        while low < high {
            let middle = (low + high) / 2
            if self.runs[middle].start <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? self.runs[low - 1] : nil
    }

    // MARK: For readers

    /// Takes bytes of the document as they are.
    mutating func append(_ text: ArraySlice<UInt8>, at source: Int) {
        guard !text.isEmpty else { return }
        self.runs.append(
            Run(start: self.bytes.count, source: source..<source + text.count, isVerbatim: true)
        )
        self.bytes += text
    }

    /// Takes text that stands for bytes of the document.
    mutating func append(_ text: String, for source: Range<Int>) {
        guard !text.isEmpty else { return }
        self.runs.append(Run(start: self.bytes.count, source: source, isVerbatim: false))
        self.bytes += text.utf8
    }

    /// Begins a section with what comes next.
    mutating func beginSection() {
        if self.sections.last != self.bytes.count { self.sections.append(self.bytes.count) }
    }
}

/// Finds where bytes stop being UTF-8.
enum UTF8Check {
    /// The offset of the first byte that belongs to no character, or that is zero; nil when there is none.
    static func firstInvalid(in bytes: [UInt8]) -> Int? {
        if let zero = bytes.firstIndex(of: 0) { return zero }
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        var (decoder, bytes) = (UTF8(), bytes.makeIterator())
        var offset = 0
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput, .error: return offset
            }
        }
    }
}
