internal import Schema

/// A pattern that a guard denies: finds it in texts and in data, disguised or not, and puts something in its place.
struct DeniedPattern: Sendable {
    /// What stands in the place of something that was denied.
    static let replacement = "[redacted]"

    private let pattern: LinearPattern

    /// Throws `PatternInvalid`.
    init(_ pattern: String) throws(MartletError) {
        self.pattern = try LinearPattern(pattern)
    }

    /// Whether it occurs in a text, or in the texts, names and numbers of data.
    func occurs(in value: JSONValue) -> Bool {
        switch value {
        case .null, .bool: false
        case .integer, .number: self.occurs(in: value.plainText)
        case .string(let text): self.occurs(in: text)
        case .array(let elements): elements.contains { self.occurs(in: $0) }
        case .object(let members): members.contains { self.occurs(in: $0.key) || self.occurs(in: $0.value) }
        }
    }

    func occurs(in text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        return self.pattern.occurs(in: scalars)
            || Self.disguises(of: scalars).contains { self.pattern.occurs(in: $0.scalars) }
    }

    /// The value with every occurrence replaced; a number that has one becomes a text.
    func redact(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool: return value
        case .integer, .number:
            let text = value.plainText
            let redacted = self.redact(text)
            return redacted == text ? value : .string(redacted)
        case .string(let text): return .string(self.redact(text))
        case .array(let elements): return .array(elements.map { self.redact($0) })
        case .object(let members):
            var result: [String: JSONValue] = [:]
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                var name = self.redact(name)
                // Two names may become one, and no member is to be lost.
                while result[name] != nil { name += "'" }
                result[name] = self.redact(member)
            }
            return .object(result)
        }
    }

    func redact(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var found = self.pattern.occurrences(in: scalars)
        for disguise in Self.disguises(of: scalars) {
            found += self.pattern.occurrences(in: disguise.scalars).map { disguise.origin(of: $0) }
        }
        guard !found.isEmpty else { return text }
        var result = String.UnicodeScalarView()
        var end = 0
        for range in found.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound > end {
            if range.lowerBound > end || end == 0 {
                result.append(contentsOf: scalars[end..<range.lowerBound])
                result.append(contentsOf: Self.replacement.unicodeScalars)
            }
            end = range.upperBound
        }
        result.append(contentsOf: scalars[end...])
        return String(result)
    }

    /// What else a text says; nothing where it is plain already.
    private static func disguises(of text: [Unicode.Scalar]) -> [PlainLetters] {
        guard text.contains(where: { !$0.isASCII }) else { return [] }
        return [PlainLetters(of: text), PlainLetters(hiddenIn: text)]
    }
}
