package import Schema

/// Blackens what must not be stored: each finding becomes its name in brackets, such as `[email]`.
///
/// Pure, and by rules that a person can check: no finding depends on anything but the text around it.
package struct Redactor: Sendable {
    private let rules: Set<EndpointSpec.Log.Redaction>

    package init(_ rules: [EndpointSpec.Log.Redaction]) {
        self.rules = Set(rules)
    }

    /// Whether nothing is to be blackened.
    package var isIdle: Bool { self.rules.isEmpty }

    /// The value with every text in it blackened, keys included; a number that is a finding becomes a text.
    package func redact(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool, .number: return value
        case .integer(let number):
            // No number is shorter than a phone's.
            guard number > 999_999 else { return value }
            let text = String(number)
            let redacted = self.redact(text)
            return redacted == text ? value : .string(redacted)
        case .string(let text): return .string(self.redact(text))
        case .array(let elements): return .array(elements.map(self.redact))
        case .object(let members):
            return .object(
                Dictionary(
                    members.map { (self.redact($0.key), self.redact($0.value)) },
                    uniquingKeysWith: { first, _ in first }
                )
            )
        }
    }

    /// The text with every finding replaced.
    package func redact(_ text: String) -> String {
        guard !self.rules.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var (kept, place) = (0, 0)
        while place < bytes.count {
            guard let finding = self.finding(in: bytes, at: place, from: kept) else {
                place += 1
                continue
            }
            result += bytes[kept..<finding.range.lowerBound]
            result += "[\(finding.rule.rawValue)]".utf8
            (kept, place) = (finding.range.upperBound, finding.range.upperBound)
        }
        guard kept > 0 else { return text }
        return String(decoding: result + bytes[kept...], as: UTF8.self)
    }

    /// What is found at a place, the most certain rule first.
    ///
    /// - Parameter start: nothing before it can be part of a finding any more.
    private func finding(
        in bytes: [UInt8],
        at place: Int,
        from start: Int
    ) -> (rule: EndpointSpec.Log.Redaction, range: Range<Int>)? {
        let byte = bytes[place]
        if byte == UInt8(ascii: "@") {
            guard self.rules.contains(.email) else { return nil }
            return EmailFinder.range(around: place, in: bytes, from: start).map { (.email, $0) }
        }
        // All others begin where no word is under way.
        guard byte.isDigit || byte.isLetter || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "("),
            place == start || !bytes[place - 1].isWord
        else { return nil }
        if byte.isLetter {
            guard self.rules.contains(.iban) else { return nil }
            return IBANFinder.range(at: place, in: bytes).map { (.iban, $0) }
        }
        if byte.isDigit, self.rules.contains(.card), let range = CardFinder.range(at: place, in: bytes) {
            return (.card, range)
        }
        guard self.rules.contains(.phone) else { return nil }
        return PhoneFinder.range(at: place, in: bytes).map { (.phone, $0) }
    }
}

extension UInt8 {
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
    /// Letters, digits, `_`, and whatever is not ASCII: mostly letters of other scripts.
    var isWord: Bool { self.isDigit || self.isLetter || self == UInt8(ascii: "_") || self >= 0x80 }
}
