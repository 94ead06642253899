internal import CLibYAML

/// Turns libyaml's marks into lines and columns of the file.
///
/// libyaml counts columns in code points, as we do, and lines by YAML 1.1, which also breaks them at NEL, LS and PS.
/// Editors and YAML 1.2 do not; a text that has one of these is counted again here.
struct YAMLPositions {
    private let input: UnsafeBufferPointer<UInt8>
    private let firstLine: Int
    /// Where lines begin, in characters from the beginning; nil where libyaml's own count is right.
    private let lineStarts: [Int]?

    init(_ input: UnsafeBufferPointer<UInt8>, firstLine: Int) {
        self.input = input
        self.firstLine = firstLine
        self.lineStarts = Self.hasUnusualBreaks(input) ? Self.lineStarts(input) : nil
    }

    func mark(_ mark: yaml_mark_t) -> YAMLMark {
        guard let lineStarts = self.lineStarts else {
            return YAMLMark(line: self.firstLine + mark.line, column: mark.column + 1)
        }
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= mark.index { low = middle } else { high = middle }
        }
        return YAMLMark(line: self.firstLine + low, column: mark.index - lineStarts[low] + 1)
    }

    /// The byte at a mark, or nil at the end.
    func byte(at mark: yaml_mark_t) -> UInt8? {
        let offset = self.offset(ofCharacter: mark.index)
        return offset < self.input.count ? self.input[offset] : nil
    }

    /// The place of a byte, which may lie inside a character or at the end.
    func mark(ofByte offset: Int) -> YAMLMark {
        var line = self.firstLine
        var column = 1
        for index in 0..<min(offset, self.input.count) {
            let byte = self.input[index]
            let isReturnOfPair = byte == 0x0D && index + 1 < self.input.count && self.input[index + 1] == 0x0A
            if byte == 0x0A || (byte == 0x0D && !isReturnOfPair) {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return YAMLMark(line: line, column: column)
    }

    private func offset(ofCharacter index: Int) -> Int {
        var remaining = index
        for (offset, byte) in self.input.enumerated() where byte & 0xC0 != 0x80 {
            if remaining == 0 { return offset }
            remaining -= 1
        }
        return self.input.count
    }

    private static func lineStarts(_ input: UnsafeBufferPointer<UInt8>) -> [Int] {
        var starts = [0]
        var characters = 0
        for (index, byte) in input.enumerated() where byte & 0xC0 != 0x80 {
            characters += 1
            let isReturnOfPair = byte == 0x0D && index + 1 < input.count && input[index + 1] == 0x0A
            if byte == 0x0A || (byte == 0x0D && !isReturnOfPair) { starts.append(characters) }
        }
        return starts
    }

    private static func hasUnusualBreaks(_ input: UnsafeBufferPointer<UInt8>) -> Bool {
        for (index, byte) in input.enumerated() where byte == 0xC2 || byte == 0xE2 {
            let next = index + 1 < input.count ? input[index + 1] : 0
            let last = index + 2 < input.count ? input[index + 2] : 0
            if byte == 0xC2, next == 0x85 { return true }
            if byte == 0xE2, next == 0x80, last == 0xA8 || last == 0xA9 { return true }
        }
        return false
    }
}
