/// Turns the bytes of tokens into text, whole characters only: a token may end in the middle of one.
///
/// However the bytes are cut into pieces, the texts put together equal the text of all bytes at once; bytes that are no
/// UTF-8, and an incomplete character at the end, become U+FFFD.
package struct UTF8Assembler: Sendable {
    /// The beginning of a character whose other bytes are still to come; at most 3 bytes.
    private var incomplete: [UInt8] = []

    package init() {}

    /// How many bytes wait for the rest of their character.
    package var incompleteCount: Int { self.incomplete.count }

    /// Takes bytes and gives the characters that are complete.
    package mutating func append(_ bytes: some RandomAccessCollection<UInt8>) -> String {
        if self.incomplete.isEmpty {
            let complete = bytes.prefix(Self.completeLength(of: bytes))
            if complete.count < bytes.count {
                self.incomplete.append(contentsOf: bytes.suffix(from: complete.endIndex))
            }
            return String(decoding: complete, as: UTF8.self)
        }
        self.incomplete.append(contentsOf: bytes)
        let length = Self.completeLength(of: self.incomplete)
        let text = String(decoding: self.incomplete.prefix(length), as: UTF8.self)
        self.incomplete.removeFirst(length)
        return text
    }

    /// Gives what waits, though its character never came to an end.
    package mutating func finish() -> String {
        defer { self.incomplete.removeAll() }
        return String(decoding: self.incomplete, as: UTF8.self)
    }

    /// The length of the bytes in front of a character that is cut off at the end.
    private static func completeLength(of bytes: some RandomAccessCollection<UInt8>) -> Int {
        for (distance, byte) in bytes.suffix(3).reversed().enumerated() where byte & 0b1100_0000 != 0b1000_0000 {
            let isCutOff = distance + 1 < Self.characterLength(startingWith: byte)
            return isCutOff ? bytes.count - distance - 1 : bytes.count
        }
        return bytes.count
    }

    /// The bytes of a character, by its first one; 1 for a byte that starts none.
    private static func characterLength(startingWith byte: UInt8) -> Int {
        if (0xC2...0xDF).contains(byte) { return 2 }
        if (0xE0...0xEF).contains(byte) { return 3 }
        if (0xF0...0xF4).contains(byte) { return 4 }
        return 1
    }
}
