/// One document of a YAML file as it could be read.
struct YAMLDocument {
    /// Everything up to the first error of syntax; nil when the document is empty.
    var root: YAMLNode?
    var problems: [YAMLSyntaxError]
    /// False when an error of syntax hides the rest.
    var isComplete: Bool
}

/// Splits a file into its documents.
///
/// `---` at the beginning of a line can stand nowhere inside a document, not even in a quoted or block text. So the
/// documents can be told apart before any of them is parsed, and an error in one says nothing about the next.
enum YAMLStream {
    struct Chunk {
        var range: Range<Int>
        /// Of the file, from 1.
        var firstLine: Int
    }

    static func split(_ bytes: UnsafeBufferPointer<UInt8>, from first: Int = 0) -> [Chunk] {
        var chunks: [Chunk] = []
        var start = first
        var startLine = 1
        var line = 1
        var index = first
        var isPreamble = true
        func close(at end: Int, _ nextLine: Int) {
            if end > start { chunks.append(Chunk(range: start..<end, firstLine: startLine)) }
            (start, startLine, isPreamble) = (end, nextLine, true)
        }
        while index < bytes.count {
            let end = Self.lineEnd(bytes, from: index)
            if Self.isMarker(bytes, UInt8(ascii: "-"), at: index) {
                // Directives and comments in front of the marker belong to the document that it begins.
                if !isPreamble { close(at: index, line) }
                isPreamble = false
            } else if Self.isMarker(bytes, UInt8(ascii: "."), at: index) {
                close(at: end, line + 1)
            } else if isPreamble {
                isPreamble = Self.isBlankOrDirective(bytes, index..<end)
            }
            index = end
            line += 1
        }
        close(at: bytes.count, line)
        return chunks
    }

    /// The beginning of the next line.
    private static func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
        if index + 1 < bytes.count, bytes[index] == 0x0D, bytes[index + 1] == 0x0A { return index + 2 }
        return min(index + 1, bytes.count)
    }

    /// Whether `---` or `...` and then white space or the end stand here.
    private static func isMarker(_ bytes: UnsafeBufferPointer<UInt8>, _ byte: UInt8, at index: Int) -> Bool {
        guard index + 3 <= bytes.count, (index..<index + 3).allSatisfy({ bytes[$0] == byte }) else { return false }
        return index + 3 == bytes.count || [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index + 3])
    }

    private static func isBlankOrDirective(_ bytes: UnsafeBufferPointer<UInt8>, _ line: Range<Int>) -> Bool {
        if bytes[line.lowerBound] == UInt8(ascii: "%") { return true }
        guard let first = line.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains(bytes[$0]) }) else { return true }
        return bytes[first] == UInt8(ascii: "#")
    }
}
