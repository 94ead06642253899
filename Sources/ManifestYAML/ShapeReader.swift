internal import Schema

/// Checks a YAML tree against a shape, collects every problem with its place, and makes the value of what is right.
///
/// What was refused is null in the value, so that later checks can look at the rest.
struct ShapeReader {
    let path: String
    private let limit: Int
    /// What the root is called in messages.
    var label = "the manifest"
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var hasErrors = false
    /// Where fields stand that name resources and files.
    var fieldLocations: [String: SourceLocation] = [:]
    /// Where the walk is.
    var field = FieldPath()

    init(path: String, limit: Int) {
        self.path = path
        self.limit = limit
    }

    /// The kind of a document, or nil and a report of what is wrong with the document as far as that can be told.
    mutating func readKind(of root: YAMLNode) -> Kind? {
        guard case .mapping(let mapping) = root.content else {
            self.report(root.mark, "\(self.label) must be a mapping, not \(root.spelling)")
            return nil
        }
        let kindNode = root["kind"]
        if let text = kindNode?.scalar?.text, let kind = Kind(rawValue: text) { return kind }
        if let node = kindNode, !node.isNull {
            let hint = NearestWord.hint(for: node.scalar?.text ?? "", among: Kind.allCases.map(\.rawValue))
            self.report(node.mark, "unknown kind \(node.spelling)\(hint)")
        } else {
            self.report(mapping.firstKey, "missing field 'kind' in \(self.label)")
        }
        // Without a kind nothing is known of the spec; the rest of the document is checked all the same.
        let shape = ObjectShape([
            .optional("apiVersion", .any, ""),
            .optional("kind", .any, ""),
            .required("metadata", .object(ManifestEnvelope.metadata), ""),
            .optional("spec", .any, ""),
        ])
        _ = self.read(root, as: .object(shape))
        return nil
    }

    /// The value of a node that has a shape, or nil when it was refused.
    mutating func read(_ node: YAMLNode, as shape: Shape) -> JSONValue? {
        if case .invalid = node.content { return nil }
        switch shape {
        case .text(let rule): return self.readText(node, rule)
        case .integer(let range): return self.readInteger(node, range)
        case .number(let range): return self.readNumber(node, range)
        case .boolean:
            guard case .bool(let value)? = node.scalar?.core else { return self.refuse(node, shape) }
            return .bool(value)
        case .word(let words):
            guard let text = self.text(of: node), words.contains(text) else {
                return self.refuse(node, shape, hint: self.hint(for: node.scalar?.text ?? "", among: words))
            }
            return .string(text)
        case .quantity(let quantity):
            guard let text = self.text(of: node), quantity.normalized(text) != nil else {
                return self.refuse(node, shape)
            }
            return .string(text)
        case .reference(let kind):
            guard let text = self.text(of: node), ResourceIdentity(kind, reference: text, in: "default") != nil else {
                return self.refuse(node, shape)
            }
            self.fieldLocations[self.field.description] = node.mark.location(in: self.path)
            return .string(text)
        case .secret: return self.readSecret(node)
        case .object(let object): return self.readObject(node, object)
        case .map(let keys, let values): return self.readMap(node, keys, values)
        case .list(let element, let count): return self.readList(node, element, count)
        case .either(let shapes):
            guard let choice = shapes.first(where: { $0.form.contains(node.form) }) else {
                return self.refuse(node, shape)
            }
            return self.read(node, as: choice)
        case .any, .expression: return self.readAny(node)
        case .named(let name): return self.read(node, as: name.shape)
        }
    }

    /// Reports what a check of the whole spec found, at the place of its field.
    mutating func report(_ finding: Finding, in root: YAMLNode) {
        self.report(finding.severity, root.mark(of: finding.path, at: finding.place), finding.message)
    }

    mutating func report(_ mark: YAMLMark, _ message: String) {
        self.report(.error, mark, message)
    }

    private mutating func report(_ severity: Diagnostic.Severity, _ mark: YAMLMark, _ message: String) {
        self.hasErrors = self.hasErrors || severity == .error
        // One more than shown, so that the file can say that there are more.
        guard self.diagnostics.count <= self.limit else { return }
        self.diagnostics.append(Diagnostic(severity, at: mark.location(in: self.path), message))
    }

    /// The nearest word, unless nobody will read it any more.
    func hint(for word: String, among words: [String]) -> String {
        self.diagnostics.count <= self.limit ? NearestWord.hint(for: word, among: words) : ""
    }
}
