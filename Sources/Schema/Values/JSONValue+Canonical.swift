extension JSONValue {
    /// The one spelling of a value that digests are made of: keys sorted by UTF-8 bytes, no white space, integers
    /// without a point, other numbers in Swift's shortest round-trip form, only the escapes that JSON demands.
    package var canonicalJSON: String { String(decoding: self.canonicalBytes, as: UTF8.self) }

    /// The same in UTF-8.
    var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        self.appendCanonical(to: &bytes)
        return bytes
    }

    /// Appends the same to UTF-8 that is there.
    package func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value): JSONValue.append(number: value, to: &bytes)
        case .string(let value): JSONValue.append(quoted: value, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONValue.append(quoted: member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func append(number: Double, to bytes: inout [UInt8]) {
        if let integer = Int64(exactly: number) {
            bytes.append(contentsOf: String(integer).utf8)
        } else {
            // A manifest cannot hold NaN or infinity; should one come from elsewhere, JSON has only null for it.
            bytes.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
        }
    }

    /// Appends a text as a JSON string, quotes included.
    package static func append(quoted value: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        let start = bytes.count
        bytes.append(contentsOf: value.utf8)
        // Nearly no text has anything to escape.
        guard bytes[start...].contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else { return }
        bytes.removeSubrange(start...)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: #"\t"#.utf8)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes.append(contentsOf: (#"\u00"# + (digits.utf8.count < 2 ? "0" : "") + digits).utf8)
            default: bytes.append(byte)
            }
        }
    }
}
