/// Limits of ``JSONValue/init(parsing:limits:)``: what is refused before it costs memory.
package struct JSONLimits: Sendable, Hashable {
    /// How deeply arrays and objects may nest.
    package var depth: Int
    /// The longest accepted text, in bytes.
    package var bytes: Int

    package init(depth: Int = 128, bytes: Int = 64 << 20) {
        self.depth = depth
        self.bytes = bytes
    }
}

/// Says what is wrong with a JSON text, and where.
package struct JSONSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// In bytes from the beginning of the text.
    package var offset: Int
    package var problem: String

    package init(offset: Int, problem: String) {
        self.offset = offset
        self.problem = problem
    }

    package var description: String {
        "\(self.problem) at byte \(self.offset)"
    }
}

extension JSONValue {
    /// Parses one RFC 8259 text.
    ///
    /// Integers that fit 64 bits stay integers. A key that occurs twice in an object is an error, since readers
    /// disagree about what it means. So is a number too large for a double, and anything that is not UTF-8.
    package init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONSyntaxError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    /// Parses the UTF-8 bytes of one RFC 8259 text, by the rules of ``init(parsing:limits:)``.
    package init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONSyntaxError) {
        try self.init(parsing: bytes.span, leaving: nil, limits: limits)
    }

    /// Parses UTF-8 bytes, but for the arrays under `key`, wherever it occurs: these are left to whoever can read them
    /// faster. Where one stands, the value has an array of two integers: the places of its first byte and of the one
    /// behind its last. Only its brackets and quotes are known to be in order.
    package init(
        parsing bytes: Span<UInt8>,
        leaving key: String?,
        limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) {
        guard bytes.count <= limits.bytes else {
            throw JSONSyntaxError(offset: limits.bytes, problem: "more than \(limits.bytes) bytes of JSON")
        }
        if let offset = UTF8Scan.firstInvalidByte(in: bytes) {
            throw JSONSyntaxError(offset: offset, problem: "not UTF-8")
        }
        var parser = JSONParser(maximumDepth: limits.depth, skippedKey: key)
        self = try parser.parseText(bytes)
    }
}

/// A recursive-descent parser over bytes that are known to be UTF-8.
struct JSONParser {
    let maximumDepth: Int
    /// The arrays under this key are left unread.
    let skippedKey: String?
    var position = 0
    private var depth = 0

    init(maximumDepth: Int, skippedKey: String? = nil) {
        self.maximumDepth = maximumDepth
        self.skippedKey = skippedKey
    }

    mutating func parseText(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        self.skipSpace(bytes)
        let value = try self.parseValue(bytes)
        self.skipSpace(bytes)
        guard self.position == bytes.count else { throw self.error("unexpected text after the value") }
        return value
    }

    private mutating func parseValue(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        guard self.position < bytes.count else { throw self.error("unexpected end of the text") }
        switch bytes[self.position] {
        case UInt8(ascii: "{"): return try self.parseObject(bytes)
        case UInt8(ascii: "["): return try self.parseArray(bytes)
        case UInt8(ascii: "\""): return .string(try self.parseString(bytes))
        case UInt8(ascii: "t"): return try self.parseWord("true", as: .bool(true), bytes)
        case UInt8(ascii: "f"): return try self.parseWord("false", as: .bool(false), bytes)
        case UInt8(ascii: "n"): return try self.parseWord("null", as: .null, bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try self.parseNumber(bytes)
        default: throw self.error("expected a JSON value")
        }
    }

    private mutating func parseObject(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        try self.enter()
        var members: [String: JSONValue] = [:]
        if self.skip(UInt8(ascii: "}"), bytes) { return self.leave(.object(members)) }
        repeat {
            self.skipSpace(bytes)
            let keyOffset = self.position
            guard self.position < bytes.count, bytes[self.position] == UInt8(ascii: "\"") else {
                throw self.error("expected a key in double quotes")
            }
            let key = try self.parseString(bytes)
            guard self.skip(UInt8(ascii: ":"), bytes) else { throw self.error("expected ':' after a key") }
            self.skipSpace(bytes)
            let value = key == self.skippedKey ? try self.skipArray(bytes) : try self.parseValue(bytes)
            guard members.updateValue(value, forKey: key) == nil else {
                throw JSONSyntaxError(offset: keyOffset, problem: "duplicate key '\(key.shortened)'")
            }
        } while self.skip(UInt8(ascii: ","), bytes)
        guard self.skip(UInt8(ascii: "}"), bytes) else { throw self.error("expected ',' or '}' in an object") }
        return self.leave(.object(members))
    }

    private mutating func parseArray(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        try self.enter()
        var elements: [JSONValue] = []
        if self.skip(UInt8(ascii: "]"), bytes) { return self.leave(.array(elements)) }
        repeat {
            self.skipSpace(bytes)
            elements.append(try self.parseValue(bytes))
        } while self.skip(UInt8(ascii: ","), bytes)
        guard self.skip(UInt8(ascii: "]"), bytes) else { throw self.error("expected ',' or ']' in an array") }
        return self.leave(.array(elements))
    }

    /// Passes over an array, and gives the places where it begins and ends; any other value is parsed.
    private mutating func skipArray(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        let start = self.position
        guard start < bytes.count, bytes[start] == UInt8(ascii: "[") else { return try self.parseValue(bytes) }
        var open = 0
        while self.position < bytes.count {
            switch bytes[self.position] {
            case UInt8(ascii: "["):
                open += 1
                guard self.depth + open <= self.maximumDepth else { throw self.tooDeep }
            case UInt8(ascii: "]"):
                open -= 1
                guard open > 0 else {
                    self.position += 1
                    return .array([.integer(Int64(start)), .integer(Int64(self.position))])
                }
            case UInt8(ascii: "\""): try self.skipString(bytes)
            default: break
            }
            self.position += 1
        }
        throw self.error("an array is not closed")
    }

    /// Goes from the opening quote of a string to its closing one.
    private mutating func skipString(_ bytes: Span<UInt8>) throws(JSONSyntaxError) {
        self.position += 1
        while self.position < bytes.count, bytes[self.position] != UInt8(ascii: "\"") {
            self.position += bytes[self.position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard self.position < bytes.count else { throw self.error("a string is not closed") }
    }

    private mutating func parseWord(
        _ word: StaticString,
        as value: JSONValue,
        _ bytes: Span<UInt8>
    ) throws(JSONSyntaxError) -> JSONValue {
        let matches = word.withUTF8Buffer { letters in
            bytes.count - self.position >= letters.count
                && letters.indices.allSatisfy { bytes[self.position + $0] == letters[$0] }
        }
        guard matches else { throw self.error("expected a JSON value") }
        self.position += word.utf8CodeUnitCount
        return value
    }

    private mutating func enter() throws(JSONSyntaxError) {
        guard self.depth < self.maximumDepth else { throw self.tooDeep }
        self.depth += 1
        self.position += 1
    }

    private mutating func leave(_ value: JSONValue) -> JSONValue {
        self.depth -= 1
        return value
    }

    /// Skips white space and then `byte`, if it is next.
    private mutating func skip(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        self.skipSpace(bytes)
        guard self.position < bytes.count, bytes[self.position] == byte else { return false }
        self.position += 1
        return true
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while self.position < bytes.count {
            switch bytes[self.position] {
            case 0x20, 0x09, 0x0A, 0x0D: self.position += 1
            default: return
            }
        }
    }

    private var tooDeep: JSONSyntaxError { self.error("nested deeper than \(self.maximumDepth) levels") }

    func error(_ problem: String) -> JSONSyntaxError {
        JSONSyntaxError(offset: self.position, problem: problem)
    }
}
