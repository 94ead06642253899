/// Regular expressions as manifests write them: Swift's own, the syntax that people know from PCRE.
package enum RegularExpression {
    /// The longest accepted pattern, in characters.
    package static let longest = 1000
    /// How deeply groups and sets may nest.
    package static let deepest = 30

    /// Compiles a pattern, or tells why that is not possible.
    package static func compile(_ pattern: String) throws -> Regex<AnyRegexOutput> {
        guard pattern.unicodeScalars.count <= Self.longest else {
            throw MartletError("PatternTooLong", "a pattern has at most \(Self.longest) characters")
        }
        // The standard library's parser recurses; a manifest must not choose how deep.
        var depth = 0
        for byte in pattern.utf8 {
            if byte == UInt8(ascii: "(") || byte == UInt8(ascii: "[") { depth += 1 }
            if byte == UInt8(ascii: ")") || byte == UInt8(ascii: "]") { depth = max(0, depth - 1) }
            guard depth <= Self.deepest else {
                throw MartletError("PatternTooDeep", "groups of a pattern nest at most \(Self.deepest) deep")
            }
        }
        return try Regex(pattern)
    }

    /// Whether ``compile(_:)`` accepts a pattern.
    package static func compiles(_ pattern: String) -> Bool {
        (try? Self.compile(pattern)) != nil
    }
}
