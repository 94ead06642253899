internal import ManifestYAML
internal import Schema
internal import TestSupport
internal import Testing

@Suite struct ManifestIndexTests {
    /// Files by path; the text is its own blob id.
    private static func index(_ files: [String: String]) -> ManifestIndex {
        var index = ManifestIndex()
        index.update(files.sorted { $0.key < $1.key }.map { (Fixture.read($0.value, path: $0.key), $0.value) })
        return index
    }

    private static func report(_ index: ManifestIndex) -> [String] { index.diagnostics.map(\.description) }

    private static func id(_ kind: Kind, _ name: String) -> ResourceIdentity {
        ResourceIdentity(kind, namespace: "default", name: name)
    }

    static func model(_ name: String, _ spec: String = "engine: llama, source: {uri: a.gguf}") -> String {
        "apiVersion: martlet.dev/v1\nkind: Model\nmetadata: {name: \(name)}\nspec: {\(spec)}\n"
    }

    static func endpoint(_ name: String, model: String) -> String {
        "apiVersion: martlet.dev/v1\nkind: Endpoint\nmetadata: {name: \(name)}\nspec: {serve: {model: \(model)}}\n"
    }

    private static func chain(_ name: String, _ steps: String) -> String {
        "apiVersion: martlet.dev/v1\nkind: Chain\nmetadata: {name: \(name)}\nspec: {steps: [\(steps)]}\n"
    }

    @Test func twoPlacesOfOneIdentityAreBothNamedAndNeitherCounts() {
        var index = Self.index([
            "b.yaml": Self.model("m"), "a.yaml": "---\n" + Self.model("m"), "c.yaml": Self.model("n"),
        ])
        #expect(
            Self.report(index) == [
                "a.yaml:2:1: error: Model/default/m is declared more than once, also at b.yaml:1:1; none of them counts",
                "b.yaml:1:1: error: Model/default/m is declared more than once, also at a.yaml:2:1; none of them counts",
            ]
        )
        #expect(Set(index.resources.keys) == [Self.id(.model, "n")])
        #expect(index.retained == [Self.id(.model, "m")])
        index.remove(path: "a.yaml")
        #expect(index.diagnostics.isEmpty)
        #expect(index.resources[Self.id(.model, "m")]?.location.path == "b.yaml")
        #expect(index.retained.isEmpty)
    }

    @Test func twoPlacesInOneFileAreFoundToo() {
        let index = Self.index(["a.yaml": Self.model("m") + "---\n" + Self.model("m")])
        #expect(index.diagnostics.map(\.location.line) == [1, 6])
        #expect(index.resources.isEmpty)
    }

    @Test func namesThatLeadNowhereAreErrorsAtTheName() {
        var index = Self.index([
            "e.yaml": Self.endpoint("desk", model: "deskhnad"), "m.yaml": Self.model("deskhand"),
            "f.yaml": Self.endpoint("shop", model: "other/deskhand"), "g.yaml": Self.endpoint("x", model: "zzz"),
        ])
        #expect(
            Self.report(index) == [
                "e.yaml:4:23: error: there is no Model 'deskhnad' in namespace 'default'; did you mean 'deskhand'?",
                "f.yaml:4:23: error: there is no Model 'deskhand' in namespace 'other'; did you mean 'default/deskhand'?",
                "g.yaml:4:23: error: there is no Model 'zzz' in namespace 'default'",
            ]
        )
        #expect(index.retained == [Self.id(.endpoint, "desk"), Self.id(.endpoint, "shop"), Self.id(.endpoint, "x")])
        index.update(Fixture.read(Self.model("deskhnad"), path: "n.yaml"), object: "2")
        #expect(index.resources[Self.id(.endpoint, "desk")] != nil)
        #expect(index.diagnostics(of: Self.id(.endpoint, "desk")).isEmpty)
        index.remove(path: "n.yaml")
        #expect(index.resources[Self.id(.endpoint, "desk")] == nil)
    }

    @Test func whatDependsOnABrokenDocumentIsNotItselfBroken() {
        let index = Self.index(["e.yaml": Self.endpoint("desk", model: "m"), "m.yaml": Self.model("m", "engin: llama")])
        #expect(index.diagnostics.allSatisfy { $0.location.path == "m.yaml" })
        #expect(Set(index.resources.keys) == [Self.id(.endpoint, "desk")])
        #expect(index.retained == [Self.id(.model, "m")])
    }

    @Test func aFileThatCannotBeReadKeepsWhatItDeclared() {
        var index = Self.index([
            "a.yaml": Self.model("m") + "---\n" + Self.model("n"), "e.yaml": Self.endpoint("e", model: "m"),
        ])
        index.update(Fixture.read("kind: [\n---\n" + Self.model("n"), path: "a.yaml"), object: "2")
        #expect(index.retained == [Self.id(.model, "m")])
        #expect(index.unreadablePaths == ["a.yaml"])
        #expect(Set(index.resources.keys) == [Self.id(.model, "n"), Self.id(.endpoint, "e")])
        index.update(Fixture.read("kind: [\n", path: "a.yaml"), object: "3")
        #expect(index.retained == [Self.id(.model, "m"), Self.id(.model, "n")])
        index.update(Fixture.read(Self.model("n"), path: "a.yaml"), object: "4")
        #expect(index.retained == [Self.id(.endpoint, "e")])
        #expect(index.unreadablePaths.isEmpty)
        #expect(Self.report(index) == ["e.yaml:4:23: error: there is no Model 'm' in namespace 'default'"])
    }

    @Test func aFileThatIsGoneKeepsNothing() {
        var index = Self.index(["a.yaml": Self.model("m")])
        index.update(Fixture.read("kind: [\n", path: "a.yaml"), object: "2")
        index.remove(path: "a.yaml")
        #expect(index.retained.isEmpty)
        #expect(index.resources.isEmpty)
        #expect(index.diagnostics.isEmpty)
    }

    @Test func chainsInACircleAreAllRefused() {
        let index = Self.index([
            "a.yaml": Self.chain("a", "{name: s, chain: b}"), "b.yaml": Self.chain("b", "{name: s, chain: c}"),
            "c.yaml": Self.chain("c", "{name: s, chain: a}"), "d.yaml": Self.chain("d", "{name: s, chain: a}"),
        ])
        #expect(
            Self.report(index) == [
                "a.yaml:4:33: error: chains run each other in a circle: a -> b -> c -> a",
                "b.yaml:4:33: error: chains run each other in a circle: b -> c -> a -> b",
                "c.yaml:4:33: error: chains run each other in a circle: c -> a -> b -> c",
            ]
        )
        #expect(Set(index.resources.keys) == [Self.id(.chain, "d")])
    }

    @Test func openingACircleBringsTheOthersBack() {
        var index = Self.index([
            "a.yaml": Self.chain("a", "{name: s, chain: b}"), "b.yaml": Self.chain("b", "{name: s, chain: a}"),
        ])
        #expect(index.resources.isEmpty)
        index.update(Fixture.read(Self.chain("b", "{name: s, set: 1}"), path: "b.yaml"), object: "2")
        #expect(index.diagnostics.isEmpty)
        #expect(index.resources.count == 2)
    }

    @Test func stepsAreCheckedAgainstTheirTemplateAndModel() {
        let template = """
            apiVersion: martlet.dev/v1
            kind: PromptTemplate
            metadata: {name: t}
            spec:
              variables: {message: {}, tone: {default: warm}, shop: {}}
              messages: [{role: user, content: "{{message}}{{tone}}{{shop}}"}]

            """
        let step = "{name: s, prompt: {template: t, model: m, adapter: form}, with: {mesage: hi}}"
        var index = Self.index([
            "c.yaml": Self.chain("c", step), "t.yaml": template,
            "m.yaml": Self.model("m", "engine: llama, source: {uri: a}, adapters: [{name: formal, source: {uri: b}}]"),
        ])
        #expect(
            Self.report(index) == [
                "c.yaml:4:45: error: PromptTemplate/default/t needs the variable 'message'; give it in 'with' of step 's'",
                "c.yaml:4:45: error: PromptTemplate/default/t needs the variable 'shop'; give it in 'with' of step 's'",
                "c.yaml:4:67: error: Model/default/m has no adapter 'form'",
                "c.yaml:4:81: error: PromptTemplate/default/t has no variable 'mesage'; did you mean 'message'?",
            ]
        )
        let other = template.replacing("message: {}, ", with: "").replacing("{{message}}", with: "")
            .replacing("shop: {}", with: "mesage: {}").replacing("{{shop}}", with: "{{mesage}}")
        index.update(Fixture.read(other, path: "t.yaml"), object: "2")
        #expect(Self.report(index) == ["c.yaml:4:67: error: Model/default/m has no adapter 'form'"])
    }

    /// Any order of updates leads to the same index.
    @Test func theOrderOfChangesDoesNotMatter() {
        let texts = [
            Self.model("m"), Self.model("n"), Self.endpoint("e", model: "m"), Self.endpoint("e", model: "x"), "kind: [",
            Self.chain("a", "{name: s, chain: b}"), Self.chain("b", "{name: s, chain: a}"),
            Self.model("m", "engine: 5"),
        ]
        var generator = SeededRandom(seed: 7)
        for _ in 0..<300 {
            var files: [String: String] = [:]
            var index = ManifestIndex()
            for _ in 0..<12 {
                let path = "\(Int.random(in: 0..<5, using: &generator)).yaml"
                if Bool.random(using: &generator), Bool.random(using: &generator) {
                    files[path] = nil
                    index.remove(path: path)
                } else if let text = texts.randomElement(using: &generator) {
                    files[path] = text
                    index.update(Fixture.read(text, path: path), object: text)
                }
            }
            let fresh = Self.index(files)
            // What an unreadable file declared before is known to one of the two only.
            guard index.unreadablePaths.isEmpty else { continue }
            #expect(index.resources == fresh.resources)
            #expect(index.retained == fresh.retained)
            #expect(Self.report(index) == Self.report(fresh))
        }
    }
}
