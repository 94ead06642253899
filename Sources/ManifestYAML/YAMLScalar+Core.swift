extension YAMLScalar {
    /// The words and numbers of YAML 1.2's core schema, and no others: `no`, `on` and dates are texts.
    package enum Core: Sendable, Hashable {
        case null
        case bool(Bool)
        case integer(Int64)
        /// Integers too large for 64 bits, too.
        case number(Double)
        /// `.inf` and `.nan`, which JSON cannot hold.
        case notFinite
        case text
    }

    /// What a scalar means where nothing asks for a text.
    package var core: Core {
        guard self.isPlain else { return .text }
        switch self.text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .notFinite
        default: return self.number ?? .text
        }
    }

    private var number: Core? {
        guard let first = self.text.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) else {
            return nil
        }
        if let integer = self.prefixedInteger { return integer }
        let unsigned = self.text.utf8.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        guard self.text.utf8.count - unsigned.count <= 1 else { return nil }
        if [".inf", ".Inf", ".INF"].contains(String(Substring(unsigned))) { return .notFinite }
        guard Self.isDecimal(unsigned) else { return nil }
        if let integer = Int64(self.text) { return .integer(integer) }
        guard let number = Double(self.text) else { return nil }
        return number.isFinite ? .number(number) : .notFinite
    }

    /// `0o17` and `0xff`.
    private var prefixedInteger: Core? {
        let radix: Int
        if self.text.hasPrefix("0o") { radix = 8 } else if self.text.hasPrefix("0x") { radix = 16 } else { return nil }
        let digits = self.text.dropFirst(2)
        guard let first = digits.utf8.first, !"+-".utf8.contains(first), let value = Int64(digits, radix: radix) else {
            return nil
        }
        return .integer(value)
    }

    /// `[0-9]+`, `[0-9]+.[0-9]*` or `.[0-9]+`, perhaps with an exponent.
    private static func isDecimal(_ bytes: Substring.UTF8View) -> Bool {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        var rest = bytes.drop(while: isDigit)
        var hasDigits = rest.count < bytes.count
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = rest.prefix(while: isDigit)
            hasDigits = hasDigits || !fraction.isEmpty
            rest = rest.dropFirst(fraction.count)
        }
        guard hasDigits else { return false }
        guard let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") else { return rest.isEmpty }
        rest = rest.dropFirst()
        if let sign = rest.first, "+-".utf8.contains(sign) { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }
}
