/// A decimal number as JSON writes it, taken apart: most can be made binary with one division, without a text.
struct DecimalNumber {
    /// Where it stands.
    private let range: Range<Int>
    private let isNegative: Bool
    /// All its digits as one whole number; nil where these are too many.
    private let digits: UInt64?
    /// What the digits are to be multiplied by, as a power of 10.
    private let exponent: Int

    /// Reads a number and goes behind it; nil where there is none.
    init?(_ text: Span<UInt8>, at position: inout Int) {
        let start = position
        let isNegative = position < text.count && text[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var digits: UInt64? = 0
        let first = position
        Self.readDigits(text, at: &position, into: &digits)
        guard position > first, text[first] != UInt8(ascii: "0") || position == first + 1 else { return nil }
        var exponent = 0
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            let point = position
            Self.readDigits(text, at: &position, into: &digits)
            guard position > point else { return nil }
            exponent = point - position
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            guard let power = Self.readPower(text, at: &position) else { return nil }
            exponent += power
        }
        self.range = start..<position
        self.isNegative = isNegative
        self.digits = digits
        self.exponent = exponent
    }

    private static func readDigits(_ text: Span<UInt8>, at position: inout Int, into digits: inout UInt64?) {
        while position < text.count, case let digit = text[position] &- 0x30, digit < 10 {
            // More than 18 digits are left to those who can round them.
            digits = digits.flatMap { $0 < 100_000_000_000_000_000 ? $0 * 10 + UInt64(digit) : nil }
            position += 1
        }
    }

    private static func readPower(_ text: Span<UInt8>, at position: inout Int) -> Int? {
        position += 1
        let isNegative = position < text.count && text[position] == UInt8(ascii: "-")
        if isNegative || position < text.count && text[position] == UInt8(ascii: "+") { position += 1 }
        var digits: UInt64? = 0
        let first = position
        Self.readDigits(text, at: &position, into: &digits)
        guard position > first else { return nil }
        // Beyond that every number is infinite, or 0.
        let power = min(digits.map { Int($0) } ?? .max, 1 << 20)
        return isNegative ? -power : power
    }

    /// The nearest double, where one operation on exact doubles gives it.
    ///
    /// Digits below 2^53 and powers of 10 up to 10^22 are exact, so that the one rounding is the last one (W. D. Clinger,
    /// "How to read floating point numbers accurately", 1990).
    var exactDouble: Double? {
        guard let digits, digits <= 1 << 53, abs(self.exponent) < Self.powersOfTen.count else { return nil }
        let power = Self.powersOfTen[abs(self.exponent)]
        let magnitude = self.exponent < 0 ? Double(digits) / power : Double(digits) * power
        return self.isNegative ? -magnitude : magnitude
    }

    /// The nearest float, where the nearest double leads to it.
    var exactFloat: Float? {
        guard let double = self.exactDouble else { return nil }
        // Rounding twice differs from rounding once only where the double lies halfway between two floats.
        let rest = double.bitPattern & 0x1FFF_FFFF
        guard rest != 0x1000_0000, double == 0 || double.magnitude >= Double(Float.leastNormalMagnitude) else {
            return nil
        }
        return Float(double)
    }

    /// The number as it is written.
    func text(_ text: Span<UInt8>) -> String { text.extracting(self.range).text }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20,
        1e21, 1e22,
    ]
}
