internal import Schema

/// Finds the JSON in a text that says more: in a fenced block, behind a preamble, in front of a remark. Pure.
enum EmbeddedJSON {
    /// The most places at which JSON is looked for.
    private static let mostPlaces = 32

    /// The objects and lists in a text, in order, none inside of another.
    static func values(in text: String) -> [JSONValue] {
        let bytes = Array(text.utf8)
        var values: [JSONValue] = []
        var index = 0
        var places = 0
        while index < bytes.count, places < self.mostPlaces {
            guard bytes[index] == UInt8(ascii: "{") || bytes[index] == UInt8(ascii: "[") else {
                index += 1
                continue
            }
            places += 1
            if let end = self.end(of: index, in: bytes), let value = try? JSONValue(parsing: Array(bytes[index..<end]))
            {
                values.append(value)
                index = end
            } else {
                index += 1
            }
        }
        return values
    }

    /// Behind the bracket that closes the one at `start`; nil where none does.
    private static func end(of start: Int, in bytes: [UInt8]) -> Int? {
        var depth = 0
        var isInText = false
        var index = start
        while index < bytes.count {
            switch (bytes[index], isInText) {
            case (UInt8(ascii: "\\"), true): index += 1
            case (UInt8(ascii: "\""), _): isInText.toggle()
            case (UInt8(ascii: "{"), false), (UInt8(ascii: "["), false): depth += 1
            case (UInt8(ascii: "}"), false), (UInt8(ascii: "]"), false):
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }
}
