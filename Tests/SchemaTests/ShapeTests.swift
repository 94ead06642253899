internal import Schema
internal import Testing

@Suite struct ShapeTests {
    private static let shape = Shape.object(
        .required("name", .nonEmptyString, "A name."),
        .field("inner", inner, default: [:], "A part."),
        .field("list", .list(inner), default: [], "Parts."),
        .optional("other", inner, "Another part."),
        .optional("choice", .either([.word(["a"]), inner]), "A word or a part.")
    )

    private static let inner = Shape.object(
        .field("wait", .duration, default: "30s", "A time."),
        .field("share", .number(0...10), default: 1, "A share."),
        .optional("size", .memory, "A size.")
    )

    @Test func defaultsAreFilledInEverywhere() {
        let complete = Self.shape.complete(["name": "x", "list": [["wait": "60s"]], "choice": ["share": 2.0]])
        #expect(
            complete == [
                "name": "x", "inner": ["wait": "30s", "share": 1], "list": [["wait": "1m", "share": 1]],
                "choice": ["wait": "30s", "share": 2],
            ]
        )
        #expect(Self.shape.complete(complete) == complete)
    }

    @Test(
        arguments: [
            (["name": "x"], ["name": "x"]),
            (["name": "x", "inner": ["wait": "30000ms", "share": 1.0], "list": []], ["name": "x"]),
            (["name": "x", "other": ["wait": "30s"]], ["name": "x", "other": [:]]),
            (["name": "x", "list": [["share": 1]]], ["name": "x", "list": [[:]]]),
            (["name": "x", "inner": ["size": "1024Mi"]], ["name": "x", "inner": ["size": "1Gi"]]),
            (["name": "x", "choice": "a"], ["name": "x", "choice": "a"]),
        ] as [(JSONValue, JSONValue)]
    )
    func whatEqualsItsDefaultIsLeftOut(value: JSONValue, canonical: JSONValue) {
        #expect(Self.shape.canonical(value) == canonical)
        #expect(Self.shape.canonical(Self.shape.complete(value)) == canonical)
    }

    @Test(arguments: Kind.allCases)
    func everyDefaultIsAValueOfItsShape(kind: Kind) {
        Self.visitFields(of: kind.shape, seen: []) { field in
            guard case .defaulting(let value) = field.presence else { return }
            #expect(Self.accepts(field.shape, value), "\(kind): \(field.name)")
        }
    }

    /// Two alternatives of one form could not be told apart.
    @Test(arguments: Kind.allCases)
    func alternativesDifferInForm(kind: Kind) {
        Self.visitFields(of: kind.shape, seen: []) { field in
            guard case .either(let shapes) = field.shape else { return }
            let forms = shapes.map(\.form)
            for (index, form) in forms.enumerated() {
                #expect(forms[..<index].allSatisfy { $0.isDisjoint(with: form) }, "\(kind): \(field.name)")
            }
        }
    }

    @Test(
        arguments: [
            ("desk", "Chain/default/desk"), ("shop/desk", "Chain/shop/desk"), ("a/b/c", nil), ("", nil), ("/desk", nil),
            ("Desk", nil),
        ] as [(String, String?)]
    )
    func referencesNameResources(text: String, identity: String?) {
        #expect(ResourceIdentity(.chain, reference: text, in: "default")?.description == identity)
    }

    @Test func resourcesKnowWhatTheyName() throws {
        let resource = try Resource(
            ResourceIdentity(.endpoint, namespace: "shop", name: "desk"),
            spec: ["serve": ["chain": "desk"], "access": ["tenants": ["acme", "house/globex"]]],
            location: SourceLocation(path: "a.yaml", line: 1, column: 1),
            fieldLocations: ["spec.serve.chain": SourceLocation(path: "a.yaml", line: 5, column: 18)]
        )
        #expect(
            resource.references.map(\.target.description) == [
                "Tenant/shop/acme", "Tenant/house/globex", "Chain/shop/desk",
            ]
        )
        #expect(
            resource.references.map(\.field) == [
                "spec.access.tenants[0]", "spec.access.tenants[1]", "spec.serve.chain",
            ]
        )
        #expect(resource.references.map(\.location.line) == [1, 1, 5])
        guard case .endpoint(let spec) = resource.spec else { throw WrongKind() }
        #expect(spec.queue.limit == 256)
    }

    @Test func resourcesKnowTheirFiles() throws {
        let resource = try Resource(
            ResourceIdentity(.model, namespace: "default", name: "m"),
            spec: [
                "engine": "llama", "source": ["uri": "models/a.gguf"],
                "adapters": [
                    ["name": "x", "source": ["uri": "https://example.org/x", "sha256": "00"]],
                    ["name": "y", "source": ["uri": "models/y.gguf"]],
                ],
            ]
        )
        #expect(resource.files.map(\.path) == ["models/y.gguf", "models/a.gguf"])
        #expect(resource.files.map(\.form) == [.file, .fileOrFolder])
    }

    @Test(
        arguments: [
            ("models/a.gguf", .repository(path: "models/a.gguf")), ("../a", nil), ("/a", nil), ("a//b", nil),
            ("a/./b", nil),
            ("", nil), ("a\\b", nil), ("file:///srv/a", .file(path: "/srv/a")), ("file://host/a", nil),
            ("file:///srv/../a", nil), ("http://example.org/a", nil),
            ("https://example.org/a", .remote(scheme: "https", uri: "https://example.org/a")), ("https://", nil),
            ("s3://bucket/a", .remote(scheme: "s3", uri: "s3://bucket/a")), ("s3://bucket", nil),
            ("hf://owner/repo/a.gguf", .remote(scheme: "hf", uri: "hf://owner/repo/a.gguf")), ("hf://owner/repo", nil),
            ("https://example.org/a b", nil),
        ] as [(String, ArtifactLocation?)]
    )
    func artifactsLieInKnownPlaces(uri: String, location: ArtifactLocation?) {
        #expect(ArtifactLocation(uri) == location)
    }

    private struct WrongKind: Error {}

    private static func visitFields(of shape: Shape, seen: Set<NamedShape>, _ body: (Field) -> Void) {
        switch shape {
        case .object(let object):
            for field in object.fields {
                body(field)
                self.visitFields(of: field.shape, seen: seen, body)
            }
        case .map(_, let shape), .list(let shape, _): self.visitFields(of: shape, seen: seen, body)
        case .either(let shapes): shapes.forEach { self.visitFields(of: $0, seen: seen, body) }
        case .named(let name) where !seen.contains(name):
            self.visitFields(of: name.shape, seen: seen.union([name]), body)
        case .named, .text, .integer, .number, .boolean, .word, .quantity, .reference, .secret, .any, .expression: break
        }
    }

    private static func accepts(_ shape: Shape, _ value: JSONValue) -> Bool {
        switch (shape, value) {
        case (.text(let rule), .string(let text)): rule.accepts(text)
        case (.integer(let range), .integer(let number)): range.contains(number)
        case (.number(let range), .integer(let number)): range.contains(Double(number))
        case (.number(let range), .number(let number)): range.contains(number)
        case (.boolean, .bool), (.any, _), (.expression, _): true
        case (.word(let words), .string(let text)): words.contains(text)
        case (.quantity(let quantity), .string(let text)): quantity.normalized(text) != nil
        case (.object(let object), .object(let members)):
            members.isEmpty && object.fields.allSatisfy { $0.presence != .required }
        case (.map, .object(let members)): members.isEmpty
        case (.list(_, let count), .array(let elements)): elements.isEmpty && count.contains(0)
        case (.either(let shapes), _): shapes.contains { self.accepts($0, value) }
        default: false
        }
    }
}
