/// Text from manifests and messages, made safe for a terminal or a log.
package enum PlainText {
    /// One line: line breaks and tabs become spaces, other control characters are spelt out.
    ///
    /// A manifest is what somebody else wrote; what it says must not move the cursor or recolour the screen.
    package static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { PlainText.isControl($0) }) else { return text }
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\t", "\r": line += " "
            case _ where PlainText.isControl(scalar): line += "\\u{\(String(scalar.value, radix: 16))}"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }
}
