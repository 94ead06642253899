internal import Schema

/// Cuts the text of documents into pieces. Pure.
struct Chunker: Sendable, Hashable {
    let chunking: KnowledgeBaseSpec.Chunking

    init(_ chunking: KnowledgeBaseSpec.Chunking) {
        self.chunking = chunking
    }

    /// The pieces as bytes of the text, in order: as many whole units as fit, and of the piece before as many as the
    /// overlap has room for. Pieces neither begin nor end with white space, and none is empty.
    func pieces(of text: DocumentText) -> [Range<Int>] {
        let isBySection = text.isOfRows || self.chunking.by == .sections
        let starts = isBySection ? text.sections : [0]
        return starts.indices.flatMap { index in
            let end = index + 1 < starts.count ? starts[index + 1] : text.bytes.count
            return self.pieces(of: text.bytes, in: starts[index]..<end)
        }
    }

    private func pieces(of text: [UInt8], in range: Range<Int>) -> [Range<Int>] {
        let units = TextUnits.units(of: text, in: range, by: self.chunking.by, size: self.chunking.size)
        var pieces: [Range<Int>] = []
        var first = 0
        while first < units.count {
            var (next, weight) = (first, 0)
            while next < units.count, weight + units[next].weight <= self.chunking.size || next == first {
                weight += units[next].weight
                next += 1
            }
            let piece = Self.trimmed(units[first].bytes.lowerBound..<units[next - 1].bytes.upperBound, in: text)
            if !piece.isEmpty { pieces.append(piece) }
            guard next < units.count else { break }
            first = self.beginning(after: first, before: next, units)
        }
        return pieces
    }

    /// Where the next piece begins: it goes on by one unit at least.
    private func beginning(after first: Int, before next: Int, _ units: [TextUnit]) -> Int {
        // What is repeated leaves room for what comes next: a piece of nothing new is none.
        let room = min(self.chunking.overlap, self.chunking.size - units[next].weight)
        var (start, shared) = (next, 0)
        while start - 1 > first, shared + units[start - 1].weight <= room {
            start -= 1
            shared += units[start].weight
        }
        return start
    }

    private static func trimmed(_ range: Range<Int>, in text: [UInt8]) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, text[start] <= 0x20 { start += 1 }
        while end > start, text[end - 1] <= 0x20 { end -= 1 }
        return start..<end
    }
}
