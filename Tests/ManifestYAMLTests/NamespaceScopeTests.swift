import ManifestYAML
import Schema
import Testing

@Suite("Namespaces of sources")
struct NamespaceScopeTests {
    private func read(_ metadata: String, path: String, scopes: [String: NamespaceScope]) -> ManifestFile {
        var reader = ManifestReader(defaultNamespace: "usual")
        reader.scopes = scopes
        let text = """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: \(metadata)
            spec: {engine: replay, source: {uri: a.jsonl}}
            """
        return reader.read(Array(text.utf8), path: path)
    }

    private static let scopes = [
        "shop": NamespaceScope(SourceSpec(name: "shop", url: "u", namespace: "shop", namespaces: .only(["preview"]))),
        "ops": NamespaceScope(SourceSpec(name: "ops", url: "u", namespace: "ops", namespaces: .all)),
    ]

    @Test(
        "A manifest that names no namespace is in that of its source",
        arguments: [("shop:a/m.yaml", "shop"), ("ops:m.yaml", "ops"), ("m.yaml", "usual"), ("other:m.yaml", "usual")]
    )
    func usual(path: String, namespace: String) {
        let file = self.read("{name: m}", path: path, scopes: Self.scopes)
        #expect(file.resources.map(\.identity) == [ResourceIdentity(.model, namespace: namespace, name: "m")])
        #expect(file.resources.first?.location.description == "\(path):1:1")
    }

    @Test("A source declares where it may", arguments: [("shop", "shop"), ("shop", "preview"), ("ops", "shop")])
    func permitted(source: String, namespace: String) {
        let file = self.read("{name: m, namespace: \(namespace)}", path: "\(source):m.yaml", scopes: Self.scopes)
        #expect(file.resources.map(\.identity.namespace) == [namespace])
        #expect(file.diagnostics.isEmpty)
    }

    @Test("A manifest elsewhere is an error, and says nothing about the resource that it names")
    func refused() {
        let file = self.read("{name: m, namespace: ops}", path: "shop:m.yaml", scopes: Self.scopes)
        #expect(file.resources.isEmpty && file.broken.isEmpty && !file.unreadable)
        #expect(
            file.diagnostics.map(\.description) == [
                "shop:m.yaml:3:32: error: source 'shop' may declare resources in 'shop', 'preview' only, not in 'ops'; "
                    + "move the manifest, or add the namespace to 'namespaces' of the source"
            ]
        )
        #expect(file.diagnostics.first?.resource == nil)
    }

    @Test("A broken manifest elsewhere does not take down the resource that it names")
    func refusedAndBroken() {
        for spec in ["{engine: 7}", "{engine: [", "~"] {
            let text = """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: m, namespace: ops}
                spec: \(spec)
                """
            var reader = ManifestReader()
            reader.scopes = Self.scopes
            let file = reader.read(Array(text.utf8), path: "shop:m.yaml")
            #expect(file.broken.isEmpty && file.resources.isEmpty, "\(spec)")
            #expect(file.diagnostics.contains { $0.message.contains("not in 'ops'") }, "\(spec)")
            #expect(file.diagnostics.allSatisfy { $0.resource == nil }, "\(spec)")
        }
    }

    @Test("One source alone is restricted too")
    func alone() {
        let scopes = ["": NamespaceScope(SourceSpec(name: "shop", url: "u", namespace: "shop"))]
        #expect(
            self.read("{name: m}", path: "a:b.yaml", scopes: scopes).resources.map(\.identity.namespace) == ["shop"]
        )
        #expect(self.read("{name: m, namespace: ops}", path: "m.yaml", scopes: scopes).resources.isEmpty)
    }
}
