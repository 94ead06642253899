package import NIOCore

extension ByteBuffer {
    /// Appends a text as it stands inside the quotes of a JSON string.
    ///
    /// Runs of plain characters are copied whole: this is all that a streamed token costs.
    package mutating func writeJSONEscaped(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var runStart = 0
            for index in 0..<bytes.count where Self.needsEscape(bytes[index]) {
                self.writeBytes(UnsafeBufferPointer(rebasing: bytes[runStart..<index]))
                self.writeJSONEscape(of: bytes[index])
                runStart = index + 1
            }
            self.writeBytes(UnsafeBufferPointer(rebasing: bytes[runStart...]))
        }
    }

    /// Appends a text as a JSON string, quotes included.
    package mutating func writeJSONString(_ text: String) {
        self.writeInteger(UInt8(ascii: "\""))
        self.writeJSONEscaped(text)
        self.writeInteger(UInt8(ascii: "\""))
    }

    /// Appends a number in Swift's shortest round-trip form; what JSON cannot say becomes `null`.
    package mutating func writeJSONNumber(_ number: some BinaryFloatingPoint & LosslessStringConvertible) {
        self.writeString(number.isFinite ? number.description : "null")
    }

    /// Appends the elements of a JSON array, each written by `write`.
    package mutating func writeJSONArray<Elements: Sequence>(
        _ elements: Elements,
        _ write: (inout ByteBuffer, Elements.Element) -> Void
    ) {
        self.writeInteger(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { self.writeInteger(UInt8(ascii: ",")) }
            isFirst = false
            write(&self, element)
        }
        self.writeInteger(UInt8(ascii: "]"))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func writeJSONEscape(of byte: UInt8) {
        self.writeInteger(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\n"): self.writeInteger(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): self.writeInteger(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): self.writeInteger(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): self.writeInteger(byte)
        default:
            let digits = Array("0123456789abcdef".utf8)
            self.writeStaticString("u00")
            self.writeInteger(digits[Int(byte >> 4)])
            self.writeInteger(digits[Int(byte & 15)])
        }
    }
}
