/// Takes the text out of HTML: without tags, comments, scripts and styles, with character references resolved.
///
/// It is made for documents that people wrote, and never fails: what looks like no tag is text.
struct HTMLReader {
    private static let hidden: Set<String> = ["script", "style", "template", "noscript", "svg"]
    private static let blocks: Set<String> = [
        "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div", "dl", "dt",
        "fieldset", "figcaption", "figure", "footer", "form", "head", "header", "hr", "html", "legend", "li", "main",
        "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
        "title", "tr", "ul",
    ]
    private static let headings: Set<String> = ["h1", "h2", "h3", "h4", "h5", "h6"]

    private let document: [UInt8]
    private var position = 0

    static func read(_ document: [UInt8], into text: inout DocumentText) {
        var reader = HTMLReader(document: document)
        reader.run(into: &text)
    }

    private init(document: [UInt8]) {
        self.document = document
    }

    private mutating func run(into text: inout DocumentText) {
        while self.position < self.document.count {
            switch self.document[self.position] {
            case UInt8(ascii: "<"): self.passMarkup(into: &text)
            case UInt8(ascii: "&"): self.takeReference(into: &text)
            default: self.takeText(into: &text)
            }
        }
    }

    private mutating func takeText(into text: inout DocumentText) {
        let start = self.position
        self.position =
            self.document[start...].dropFirst()
            .firstIndex { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "&") } ?? self.document.count
        text.append(self.document[start..<self.position], at: start)
    }

    private mutating func passMarkup(into text: inout DocumentText) {
        let start = self.position
        if self.document[start...].starts(with: "<!--".utf8) {
            self.position = self.end(of: "-->", after: start + 4)
            return
        }
        let next = start + 1 < self.document.count ? self.document[start + 1] : 0
        guard Self.isLetter(next) || [UInt8(ascii: "/"), UInt8(ascii: "!"), UInt8(ascii: "?")].contains(next) else {
            self.takeText(into: &text)
            return
        }
        let isEnd = next == UInt8(ascii: "/")
        let letters = self.document[(start + (isEnd ? 2 : 1))...].prefix {
            Self.isLetter($0) || (0x30...0x39).contains($0)
        }
        let name = String(decoding: letters, as: UTF8.self).lowercased()
        self.position = self.endOfTag(after: letters.endIndex)
        if Self.hidden.contains(name), !isEnd {
            self.position = self.end(ofElement: name, after: self.position)
        } else if Self.headings.contains(name) {
            text.append("\n", for: start..<self.position)
            if !isEnd { text.beginSection() }
        } else if Self.blocks.contains(name) {
            text.append("\n", for: start..<self.position)
        }
    }

    /// Behind the `>` of a tag; one in quotes is none.
    private func endOfTag(after start: Int) -> Int {
        var quote: UInt8?
        for index in start..<self.document.count {
            let byte = self.document[index]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return index + 1
            }
        }
        return self.document.count
    }

    private func end(of mark: String, after start: Int) -> Int {
        let mark = Array(mark.utf8)
        guard start < self.document.count else { return self.document.count }
        for index in start..<self.document.count where self.document[index...].starts(with: mark) {
            return index + mark.count
        }
        return self.document.count
    }

    /// Behind the end tag of an element whose content is no text.
    private func end(ofElement name: String, after start: Int) -> Int {
        let name = Array(name.utf8)
        for index in start..<self.document.count where self.document[index...].starts(with: "</".utf8) {
            let letters = self.document[(index + 2)...].prefix(name.count).map { $0 | 0x20 }
            if letters == name { return self.endOfTag(after: index + 2 + name.count) }
        }
        return self.document.count
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

// MARK: Character references

extension HTMLReader {
    private static let named: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u{A0}", "copy": "©", "reg": "®",
        "trade": "™", "hellip": "…", "mdash": "—", "ndash": "–", "lsquo": "‘", "rsquo": "’", "ldquo": "“",
        "rdquo": "”", "bdquo": "„", "laquo": "«", "raquo": "»", "bull": "•", "middot": "·", "sect": "§", "para": "¶",
        "deg": "°", "plusmn": "±", "times": "×", "euro": "€", "pound": "£", "yen": "¥", "cent": "¢", "auml": "ä",
        "ouml": "ö", "uuml": "ü", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü", "szlig": "ß", "eacute": "é", "egrave": "è",
        "agrave": "à", "ccedil": "ç", "ntilde": "ñ", "shy": "\u{AD}",
    ]

    private mutating func takeReference(into text: inout DocumentText) {
        let start = self.position
        let name = self.document[(start + 1)...].prefix(32).prefix { $0 != UInt8(ascii: ";") }
        let end = name.endIndex + 1
        guard end <= self.document.count, self.document[end - 1] == UInt8(ascii: ";"),
            let meaning = Self.meaning(of: String(decoding: name, as: UTF8.self))
        else {
            self.takeText(into: &text)
            return
        }
        text.append(meaning, for: start..<end)
        self.position = end
    }

    private static func meaning(of name: String) -> String? {
        guard name.hasPrefix("#") else { return self.named[name] }
        let digits = name.dropFirst()
        let isHex = digits.first == "x" || digits.first == "X"
        guard let number = isHex ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits), number > 0 else {
            return nil
        }
        return Unicode.Scalar(number).map { String(Character($0)) }
    }
}
