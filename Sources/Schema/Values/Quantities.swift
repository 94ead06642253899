/// A length of time as manifests write it: `250ms`, `30s`, `10m`, `24h`, `30d`.
package struct ManifestDuration: Sendable, Hashable, Comparable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func seconds(_ seconds: Int64) -> ManifestDuration {
        ManifestDuration(milliseconds: seconds * 1000)
    }

    /// The same length for Swift's clocks.
    package var duration: Duration { .milliseconds(self.milliseconds) }

    package static func < (lhs: ManifestDuration, rhs: ManifestDuration) -> Bool {
        lhs.milliseconds < rhs.milliseconds
    }
}

extension ManifestDuration: Quantity {
    static let units: [(suffix: String, size: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    package init?(_ text: String) {
        guard let amount = Quantities.amount(text, units: Self.units, unitRequired: true) else { return nil }
        self.init(milliseconds: amount)
    }

    /// The largest unit that keeps the number whole: `90s`, `2h`.
    package var description: String {
        if self.milliseconds == 0 { return "0s" }
        return Quantities.spell(self.milliseconds, units: ManifestDuration.units)
    }
}

/// An amount of memory or data as manifests write it: `512Mi`, `4Gi`, `1048576`.
package struct ByteCount: Sendable, Hashable, Comparable {
    package var bytes: Int64

    package init(bytes: Int64) {
        self.bytes = bytes
    }

    package static func < (lhs: ByteCount, rhs: ByteCount) -> Bool { lhs.bytes < rhs.bytes }
}

extension ByteCount: Quantity {
    static let units: [(suffix: String, size: Int64)] = [
        ("", 1), ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40),
    ]

    package init?(_ text: String) {
        guard let amount = Quantities.amount(text, units: ByteCount.units, unitRequired: false) else { return nil }
        self.init(bytes: amount)
    }

    package var description: String {
        Quantities.spell(self.bytes, units: ByteCount.units)
    }
}

/// A share as manifests write it: `99.9%`.
package struct Percentage: Sendable, Hashable {
    /// 0 to 100.
    package var percent: Double

    package init(percent: Double) {
        self.percent = percent
    }
}

extension Percentage: Quantity {
    package init?(_ text: String) {
        guard text.hasSuffix("%"), let percent = Double(text.dropLast()), percent.isFinite, percent >= 0, percent <= 100
        else { return nil }
        self.init(percent: percent)
    }

    package var description: String {
        if let whole = Int64(exactly: self.percent) { return "\(whole)%" }
        return "\(self.percent)%"
    }
}

/// An amount for each stretch of time as manifests write it: `100/s`, `1M/1d`, `1000/m`.
package struct Rate: Sendable, Hashable {
    package var amount: Int64
    package var per: ManifestDuration

    package init(amount: Int64, per: ManifestDuration) {
        self.amount = amount
        self.per = per
    }
}

extension Rate: Quantity {
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let amount = Count(String(parts[0]))?.value
        else { return nil }
        let period = parts[1].first?.isNumber == true ? String(parts[1]) : "1\(parts[1])"
        guard let per = ManifestDuration(period), per.milliseconds > 0 else { return nil }
        self.init(amount: amount, per: per)
    }

    package var description: String {
        "\(Quantities.spell(self.amount, units: Count.units))/\(self.per)"
    }
}

/// A whole number as manifests write large ones: `5M`, `200k`, `1000`.
package struct Count: Sendable, Hashable {
    package var value: Int64

    package init(_ value: Int64) {
        self.value = value
    }
}

extension Count: Quantity {
    static let units: [(suffix: String, size: Int64)] = [("", 1), ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000)]

    package init?(_ text: String) {
        guard let amount = Quantities.amount(text, units: Count.units, unitRequired: false) else { return nil }
        self.init(amount)
    }

    package var description: String {
        Quantities.spell(self.value, units: Count.units)
    }
}

/// A value with a unit; written as text in manifests, and the same amount always in the same words.
package protocol Quantity: Codable, CustomStringConvertible {
    init?(_ text: String)
}

extension Quantity {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text: String
        do {
            // Nearly every quantity is text, and an attempt that fails costs more than one that does not.
            text = try container.decode(String.self)
        } catch {
            guard let number = try? container.decode(Int64.self) else { throw error }
            text = String(number)
        }
        guard let value = Self(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no \(Self.self)")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}

/// Reading and spelling of amounts with units.
enum Quantities {
    /// The amount in the smallest unit, or nil: digits, an optional fraction, then one of the suffixes.
    static func amount(_ text: String, units: [(suffix: String, size: Int64)], unitRequired: Bool) -> Int64? {
        let point = UInt8(ascii: ".")
        let digits = Substring(text.utf8.prefix { (0x30...0x39).contains($0) || $0 == point })
        let suffix = text[digits.endIndex...]
        guard let first = digits.utf8.first, first != point, digits.utf8.last != point else { return nil }
        if unitRequired, suffix.isEmpty { return nil }
        guard let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
        if let whole = Int64(digits) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: unit.size)
            return overflow ? nil : product
        }
        guard let number = Double(digits) else { return nil }
        return Int64(exactly: (number * Double(unit.size)).rounded())
    }

    /// The largest unit that leaves a whole number.
    static func spell(_ amount: Int64, units: [(suffix: String, size: Int64)]) -> String {
        guard let unit = units.last(where: { amount != 0 && amount % $0.size == 0 }) ?? units.first else {
            return String(amount)
        }
        return "\(amount / unit.size)\(unit.suffix)"
    }
}
