/// Finds what a Mustache template of a manifest asks for, and refuses what prompts must not do.
///
/// Prompts know variables, sections, inverted sections and comments. Partials, blocks, lambdas and functions, pragmas
/// and other delimiters are refused: a prompt is read from one place and means the same everywhere.
package struct MustacheScanner: Sendable {
    /// One use of a name.
    package struct Tag: Sendable, Hashable {
        package enum Form: Sendable, Hashable {
            case variable
            case section
            case invertedSection
        }

        package var form: Form
        /// The dotted parts; empty for `{{.}}`.
        package var name: [String]
        /// The names of the sections around it, from the outermost inwards.
        package var sections: [[String]]
        /// In characters, as code points, from the beginning of the template.
        package var offset: Int
    }

    /// One thing that is wrong with a template.
    package struct Problem: Sendable, Hashable, CustomStringConvertible {
        package var offset: Int
        package var message: String

        package var description: String { self.message }
    }

    /// In the order of the template.
    package private(set) var tags: [Tag] = []
    package private(set) var problems: [Problem] = []

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var open: [(name: [String], offset: Int)] = []

    /// Scans a template in one pass.
    package init(_ template: String) {
        self.scalars = Array(template.unicodeScalars)
        while let start = self.find("{{", from: self.position) {
            self.position = start
            self.scanTag()
        }
        for section in self.open {
            self.report("section '\(Self.spell(section.name))' is not closed", at: section.offset)
        }
        self.problems.sort { $0.offset < $1.offset }
    }

    /// The first parts of the names that the template needs from outside, each once, in the order of their first use.
    package var roots: [String] {
        var seen: Set<String> = []
        return self.tags.compactMap(\.name.first).filter { seen.insert($0).inserted }
    }

    private mutating func scanTag() {
        let start = self.position
        let isTriple = self.peek(start + 2) == "{"
        let close = isTriple ? "}}}" : "}}"
        let contentStart = start + (isTriple ? 3 : 2)
        guard let end = self.find(close, from: contentStart) else {
            self.report("'{{' is not closed", at: start)
            self.position = self.scalars.count
            return
        }
        self.position = end + close.unicodeScalars.count
        let sigil = isTriple ? nil : self.peek(contentStart)
        switch sigil {
        case "!": return
        case "#"?: self.openSection(.section, contentStart + 1..<end, at: start)
        case "^"?: self.openSection(.invertedSection, contentStart + 1..<end, at: start)
        case "/"?: self.closeSection(contentStart + 1..<end, at: start)
        case "&"?: self.addTag(.variable, contentStart + 1..<end, at: start)
        case ">"?: self.report("partials ('{{>') are not available in prompts", at: start)
        case "<"?, "$"?: self.report("blocks ('{{<', '{{$') are not available in prompts", at: start)
        case "%"?: self.report("pragmas ('{{%') are not available in prompts", at: start)
        case "="?: self.report("other delimiters ('{{=') are not available in prompts", at: start)
        default: self.addTag(.variable, contentStart..<end, at: start)
        }
    }

    private mutating func openSection(_ form: Tag.Form, _ range: Range<Int>, at offset: Int) {
        guard let name = self.addTag(form, range, at: offset) else { return }
        self.open.append((name, offset))
    }

    private mutating func closeSection(_ range: Range<Int>, at offset: Int) {
        let name = Self.parts(self.text(range))
        guard let section = self.open.last else {
            self.report("'{{/\(self.text(range))}}' closes no section", at: offset)
            return
        }
        guard section.name == name else {
            let text = self.text(range)
            self.report("'{{/\(text)}}' closes section '\(Self.spell(section.name))'", at: offset)
            if let index = self.open.lastIndex(where: { $0.name == name }) { self.open.removeSubrange(index...) }
            return
        }
        self.open.removeLast()
    }

    @discardableResult
    private mutating func addTag(_ form: Tag.Form, _ range: Range<Int>, at offset: Int) -> [String]? {
        let text = self.text(range)
        guard let name = Self.parts(text) else {
            let isCall = text.contains("(")
            self.report(
                isCall
                    ? "functions ('\(text)') are not available in prompts" : "'{{\(text)}}' is not a variable's name",
                at: offset
            )
            return nil
        }
        self.tags.append(Tag(form: form, name: name, sections: self.open.map(\.name), offset: offset))
        return name
    }

    private mutating func report(_ message: String, at offset: Int) {
        self.problems.append(Problem(offset: offset, message: message))
    }

    private func peek(_ index: Int) -> Unicode.Scalar? {
        index < self.scalars.count ? self.scalars[index] : nil
    }

    private func find(_ text: String, from start: Int) -> Int? {
        let wanted = Array(text.unicodeScalars)
        var index = start
        while index + wanted.count <= self.scalars.count {
            if self.scalars[index] == wanted[0], self.scalars[index..<index + wanted.count].elementsEqual(wanted) {
                return index
            }
            index += 1
        }
        return nil
    }

    /// The characters of a tag without the white space around them.
    private func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        let isSpace = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
        view.append(contentsOf: self.scalars[range].drop(while: isSpace))
        while let last = view.last, isSpace(last) { view.removeLast() }
        return String(view)
    }

    /// The dotted parts of a name, empty for `.`; nil when the text is no name.
    private static func parts(_ text: String) -> [String]? {
        if text == "." { return [] }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let areNames = parts.allSatisfy { part in
            !part.isEmpty
                && part.unicodeScalars.allSatisfy {
                    $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_" || $0 == "-"
                }
        }
        return areNames ? parts : nil
    }

    private static func spell(_ name: [String]) -> String {
        name.isEmpty ? "." : name.joined(separator: ".")
    }
}
