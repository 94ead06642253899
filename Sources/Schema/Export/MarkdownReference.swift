/// Writes the declarations of kinds as the tables of the reference's pages.
///
/// A page has two parts. What stands above ``marker`` is written by people; the marker and what follows is ours.
package struct MarkdownReference {
    /// The line at which the generated part of a page begins.
    package static let marker =
        "<!-- From here on written by scripts/generate-schemas, from the declarations in Sources/Schema. -->"

    package init() {}

    /// The generated part of the page of one kind.
    package func fields(of kind: Kind) -> String {
        var tables = FieldTables()
        tables.add("Fields of `spec`", kind.shape)
        return ([Self.marker] + tables.sections).joined(separator: "\n\n") + "\n"
    }

    /// The generated part of the page about the file of sources.
    package func fieldsOfSources() -> String {
        var tables = FieldTables()
        tables.add("Fields of the file", .object(SourcesFile.shape))
        return ([Self.marker] + tables.sections).joined(separator: "\n\n") + "\n"
    }

    /// The generated part of the page about all kinds: their list, what is around every `spec`, and forms of values.
    package func index() -> String {
        var tables = FieldTables()
        tables.add("Fields of every document", Self.document)
        let kinds = Kind.allCases.map { ["[\($0.rawValue)](\($0.page))", $0.summary] }
        let forms =
            TextFormat.allCases.map { [$0.word, $0.expectation] }
            + QuantityShape.allCases.map { [$0.rawValue, Shape.quantity($0).expectation] }
            + [["secret", "`\(Shape.secret.expectation)`"]]
        let sections = [
            Self.marker,
            "## Kinds",
            MarkdownTable(heading: ["kind", "what"], rows: kinds).text,
            tables.sections.joined(separator: "\n\n"),
            "## Forms of values",
            MarkdownTable(heading: ["form", "what"], rows: Set(forms).sorted { $0.lexicographicallyPrecedes($1) }).text,
        ]
        return sections.joined(separator: "\n\n") + "\n"
    }

    /// What the documents of all kinds have in common.
    private static let document = Shape.object(
        .required("apiVersion", .word([ManifestEnvelope.apiVersion]), "The version of this language."),
        .required("kind", .word(of: Kind.self), "What the document declares."),
        .required("metadata", .object(ManifestEnvelope.metadata), "What the resource is called."),
        .required("spec", .map(.any), "What is wanted; see the page of the kind.")
    )

    /// A page with its generated part replaced; the text of a new page when there is none yet.
    package func page(_ existing: String?, title: String, generated: String) -> String {
        guard let existing, let start = existing.firstRange(of: Self.marker)?.lowerBound else {
            return "# \(title)\n\n\(generated)"
        }
        return existing[..<start] + generated
    }
}

extension Kind {
    /// The file of this kind's page.
    package var page: String { "\(self.rawValue.lowercased()).md" }
}

/// Collects one table for a declaration, and one for each shape that it refers to by name.
private struct FieldTables {
    private(set) var sections: [String] = []

    mutating func add(_ title: String, _ shape: Shape) {
        var seen: Set<NamedShape> = []
        var waiting = self.addTable(title, shape)
        while let name = waiting.first(where: { $0 != .jsonSchema }) ?? waiting.first {
            waiting.removeAll { $0 == name }
            guard seen.insert(name).inserted else { continue }
            waiting += self.addTable(name.title, name.shape)
        }
    }

    /// Adds one table and the rules below it, and tells which shapes it refers to.
    private mutating func addTable(_ title: String, _ shape: Shape) -> [NamedShape] {
        var walk = FieldWalk()
        walk.visit(shape, at: "")
        self.sections.append("## \(title)")
        self.sections.append(MarkdownTable(heading: ["field", "value", "default", "what"], rows: walk.rows).text)
        if !walk.rules.isEmpty { self.sections.append(walk.rules.map { "- \($0)" }.joined(separator: "\n")) }
        return walk.names
    }
}

/// Writes down the fields of a shape and of all that is inside of it, each by its dotted path.
private struct FieldWalk {
    private(set) var rows: [[String]] = []
    private(set) var rules: [String] = []
    private(set) var names: [NamedShape] = []

    mutating func visit(_ shape: Shape, at path: String) {
        switch shape {
        case .object(let object):
            let prefix = path.isEmpty ? "" : "\(path)."
            for field in object.fields {
                self.rows.append(["`\(prefix)\(field.name)`", field.shape.cell, field.presence.cell, field.summary])
                self.visit(field.shape, at: prefix + field.name)
            }
            self.rules += object.rules.map { $0.sentence(prefix) }
        case .list(let element, _): self.visit(element, at: "\(path)[]")
        case .map(_, let values): self.visit(values, at: "\(path).*")
        case .either(let shapes):
            for shape in shapes { self.visit(shape, at: path) }
        case .named(let name):
            if !self.names.contains(name) { self.names.append(name) }
        case .text, .integer, .number, .boolean, .word, .quantity, .reference, .secret, .any, .expression: break
        }
    }
}

/// A table of a Markdown page.
private struct MarkdownTable {
    var heading: [String]
    var rows: [[String]]

    var text: String {
        let lines = [self.heading, self.heading.map { _ in "---" }] + self.rows
        return lines.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }
}

extension Shape {
    /// What a value of this shape is, in as few words as a table has room for.
    fileprivate var cell: String {
        switch self {
        case .text(let rule): rule.cell
        case .integer(let range):
            range.upperBound == .max
                ? "integer, at least \(range.lowerBound)" : "integer, \(range.lowerBound) to \(range.upperBound)"
        case .number(let range):
            range.upperBound >= 1e15
                ? "number" : "number, \(range.lowerBound.cell) to \(range.upperBound.cell)"
        case .boolean: "`true` or `false`"
        case .word(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .quantity(let quantity): quantity.rawValue
        case .reference(let kind): "name of \(kind.article) [\(kind.rawValue)](\(kind.page))"
        case .secret: "secret"
        case .object: "mapping"
        case .map(_, let values): "mapping by name, of: \(values.cell)"
        case .list(let element, let count): "list\(count.cell) of: \(element.cell)"
        case .either(let shapes): shapes.map(\.cell).joined(separator: "; or ")
        case .any: "any"
        case .expression: "expression"
        case .named(let name): "[\(name.word)](#\(name.anchor))"
        }
    }
}

extension TextRule {
    fileprivate var cell: String {
        self.format?.word ?? (self.length.lowerBound > 0 ? "text, not empty" : "text")
    }
}

extension Field.Presence {
    fileprivate var cell: String {
        switch self {
        case .required: "required"
        case .optional: ""
        case .defaulting(let value): "`\(value.canonicalJSON)`"
        }
    }
}

extension ObjectRule {
    /// The rule in words, its fields with what stands in front of them.
    fileprivate func sentence(_ prefix: String) -> String {
        let names = self.names.map { "`\(prefix)\($0)`" }.joined(separator: ", ")
        return switch self {
        case .exactlyOne: "Exactly one of \(names)."
        case .atMostOne: "At most one of \(names)."
        case .atLeastOne: "At least one of \(names)."
        }
    }
}

extension NamedShape {
    fileprivate var word: String {
        switch self {
        case .condition: "condition"
        case .step: "step"
        case .jsonSchema: "JSON Schema"
        }
    }

    fileprivate var title: String { self.word.prefix(1).uppercased() + self.word.dropFirst() }

    /// The title as a link's target.
    fileprivate var anchor: String { String(self.word.lowercased().map { $0 == " " ? "-" : $0 }) }
}

extension TextFormat {
    /// The name of this form in tables.
    fileprivate var word: String {
        switch self {
        case .label, .adapter: "label"
        case .namespacePattern: "namespace, perhaps with `*`"
        case .engine: "engine"
        case .sha256: "SHA-256"
        case .artifact: "location"
        case .artifactFile: "location of a file"
        case .repositoryPath: "path"
        case .repositoryFolder: "folder"
        case .includedFolder: "included folder"
        case .glob: "glob"
        case .url: "URL"
        case .host: "host"
        case .regex: "regular expression"
        case .environmentVariable: "environment variable"
        case .fileName: "file name"
        case .query: "reference"
        case .ratio: "ratio"
        case .cron: "cron"
        case .signal: "signal"
        case .identifier: "identifier"
        }
    }
}

extension ClosedRange<Int> {
    /// How many elements a list may have, where that is more than the bound of every list.
    fileprivate var cell: String {
        switch (self.lowerBound, self.upperBound) {
        case (0, Shape.longestList): ""
        case (let lowest, Shape.longestList): " (at least \(lowest))"
        case (let lowest, let highest): " (\(lowest) to \(highest))"
        }
    }
}

extension Shape {
    /// The most elements of a list that declares no bound of its own.
    fileprivate static let longestList: Int = {
        guard case .list(_, let count) = Shape.list(.any) else { return .max }
        return count.upperBound
    }()
}

extension Double {
    fileprivate var cell: String {
        Int64(exactly: self).map(String.init) ?? "\(self)"
    }
}
