internal import Foundation
internal import ManifestYAML
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// The loader that goes on from commit to commit, against one that reads each commit from nothing.
@Suite("Loading desired states")
struct DesiredStateLoaderTests {
    /// Contents that a path of the random histories may have.
    private static let contents: [String: [String]] = {
        func model(_ name: String, _ spec: String = "engine: llama, source: {uri: a.gguf}") -> String {
            ManifestIndexTests.model(name, spec)
        }
        func endpoint(_ name: String, _ model: String) -> String { ManifestIndexTests.endpoint(name, model: model) }
        func manifest(_ kind: String, _ name: String, _ spec: String) -> String {
            "apiVersion: martlet.dev/v1\nkind: \(kind)\nmetadata: {name: \(name)}\nspec: {\(spec)}\n"
        }
        let template = "messages: [{role: user, content: hi}]"
        func chain(_ name: String, _ steps: String) -> String { manifest("Chain", name, "steps: [\(steps)]") }
        let step = "{name: s, prompt: {template: t, model: m}}"
        return [
            "m.yaml": [
                model("m"), model("m", "engine: replay, source: {uri: data/link.jsonl}"), "# moved\n" + model("m"),
                model("m", "engine: 5"), model("mm"), model("m") + "---\n" + model("n"),
                model("m", "engine: llama, source: {uri: b.gguf}, adapters: [{name: formal, source: {uri: a.gguf}}]"),
                model("m", "engine: llama, source: {uri: https://example.org/a, sha256: \(Digest(of: []).hex)}"),
            ],
            "n.yaml": [model("n"), model("m"), model("nn", "engine: llama, source: {uri: gone.gguf}")],
            "e.yaml": [
                endpoint("e", "m"), endpoint("e", "mm"), endpoint("e", "mmm"),
                endpoint("e", "n") + "---\n" + endpoint("f", "m"),
                manifest("Endpoint", "e", "serve: {chain: c}, access: {anonymous: true}"),
                manifest("Endpoint", "e", "serve: {chain: c}, queue: {limit: 3}"),
            ],
            "t.yaml": [
                manifest("PromptTemplate", "t", template),
                manifest("PromptTemplate", "t", template + ", examples: {dataset: d}"),
                manifest("PromptTemplate", "t", template + ", examples: {dataset: d, limit: 1}"),
                manifest("PromptTemplate", "t", template + ", variables: {x: {}}"),
            ],
            "d.yaml": [
                manifest("Dataset", "d", "source: {uri: data/rows.jsonl}"),
                manifest("Dataset", "d", "source: {uri: data/link.jsonl}"),
            ],
            "c.yaml": [
                chain("c", step), chain("c", "{name: s, prompt: {template: t, model: m, adapter: formal}}"),
                chain("c", "{name: s, chain: b}"), chain("b", "{name: s, chain: c}"),
                chain("c", "{name: s, chain: b}") + "---\n" + chain("b", "{name: s, chain: c}"),
            ],
            "b.yaml": [chain("b", step), chain("b", "{name: s, chain: c}"), chain("bb", step)],
            "p.yaml": [
                manifest("Policy", "p", "engines: {allow: [llama]}"), manifest("Policy", "p", "engine: {}"),
                manifest("Policy", "p", "limits: {replicas: 1, memory: 1Gi}, enforcement: warn"),
            ],
            "a.gguf": ["weights", "other weights"],
            "b.gguf": ["more weights"],
            "data/rows.jsonl": [#"{"input":1,"output":2}"#, "{\"input\":1,\"output\":2}\n{\"input\":3}"],
            "data/more.jsonl": [#"{"input":5,"output":6}"#],
            ".martletignore": ["n.yaml\n", "b.yaml\n"],
        ]
    }()

    /// Changes a few files, or takes them away.
    private static func edit(_ files: inout [String: MemoryRepository.File], _ random: inout SeededRandom) {
        let paths = self.contents.keys.sorted()
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            if random.oneIn(6) {
                let target = random.pick(["data/rows.jsonl", "data/more.jsonl", "data/none.jsonl"])
                files["data/link.jsonl"] = MemoryRepository.File(bytes: Array(target.utf8), kind: .link)
                continue
            }
            let path = random.pick(paths)
            let isGone = random.oneIn(path == ".martletignore" ? 2 : 5)
            files[path] = isGone ? nil : .init(bytes: Array(random.pick(self.contents[path] ?? [""]).utf8))
        }
    }

    /// The same state, as if every revision had been read from this commit first.
    private static func withoutHistory(_ state: DesiredState) -> DesiredState {
        var state = state
        for variant in state.variants.keys { state.variants[variant]?.commit = state.commit.id }
        return state
    }

    private static func differing(_ old: DesiredState, _ new: DesiredState) -> Set<ResourceIdentity> {
        func keys<Key: Hashable, Value: Equatable>(_ old: [Key: Value], _ new: [Key: Value]) -> Set<Key> {
            Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
        }
        return keys(old.resources, new.resources).union(keys(old.settings, new.settings))
            .union(keys(old.blocked, new.blocked)).union(keys(old.variants, new.variants).map(\.resource))
            .union(old.retained.symmetricDifference(new.retained))
            .union(keys(old.policyReview.findings, new.policyReview.findings))
            .union(keys(old.policyReview.memoryLimits, new.policyReview.memoryLimits))
    }

    @Test("A state that is reached by any history is the one that is read from nothing", arguments: 0..<150)
    func history(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let repository = MemoryRepository()
        func loader() -> DesiredStateLoader {
            DesiredStateLoader(repository: repository, subpath: "", namespace: "default")
        }
        var files: [String: MemoryRepository.File] = [:]
        for path in Self.contents.keys.sorted() where path != ".martletignore" {
            files[path] = .init(bytes: Array((Self.contents[path]?.first ?? "").utf8))
        }
        var incremental = loader()
        var before: DesiredState?
        for number in 0..<25 {
            repository.commit("\(number)", files)
            let commit = try repository.resolve("\(number)")
            var whole = loader()
            let (new, fresh) = (try incremental.load(commit), try whole.load(commit))
            let (left, right) = (Self.withoutHistory(new), Self.withoutHistory(fresh))
            let differing = Self.differing(left, right)
            #expect(differing.isEmpty, "seed \(seed), commit \(number)")
            #expect(left.diagnostics == right.diagnostics, "seed \(seed), commit \(number)")
            #expect(left.policyReview == right.policyReview, "seed \(seed), commit \(number)")
            #expect(new.diagnostics == new.diagnostics.sorted())
            if let before, let changed = incremental.changed {
                let missed = Self.differing(before, new).subtracting(changed)
                #expect(missed.isEmpty, "seed \(seed), commit \(number)")
            }
            before = new
            Self.edit(&files, &random)
        }
    }

    @Test("One changed manifest moves itself and what reaches it, and looks at no other")
    func oneChange() throws {
        let repository = MemoryRepository()
        var texts = ["a.gguf": "weights"]
        for number in 0..<200 {
            texts["m\(number).yaml"] = ManifestIndexTests.model("m\(number)")
            texts["e\(number).yaml"] = ManifestIndexTests.endpoint("e\(number)", model: "m\(number)")
        }
        repository.commit("1", texts: texts)
        var loader = DesiredStateLoader(repository: repository, subpath: "", namespace: "default")
        let first = try loader.load(try repository.resolve("1"))
        #expect(loader.changed == nil)
        _ = repository.takeLookups()
        texts["m7.yaml"] = ManifestIndexTests.model("m7", "engine: llama, source: {uri: a.gguf}, options: {slots: 2}")
        repository.commit("2", texts: texts)
        let second = try loader.load(try repository.resolve("2"))
        #expect(loader.changed.map { Set($0.map(\.name)) } == ["m7", "e7"])
        #expect(repository.takeLookups() == ["a.gguf"])
        #expect(first.variants.filter { second.variants[$0.key] != $0.value }.keys.map(\.endpoint) == ["e7"])
    }

    @Test("New weights move every model that names them, and its endpoints")
    func changedWeights() throws {
        let repository = MemoryRepository()
        var texts = ["a.gguf": "weights", "b.gguf": "others", "n.yaml": ManifestIndexTests.model("n")]
        texts["m.yaml"] = ManifestIndexTests.model("m", "engine: llama, source: {uri: b.gguf}")
        texts["e.yaml"] = ManifestIndexTests.endpoint("e", model: "n")
        repository.commit("1", texts: texts)
        texts["a.gguf"] = "new weights"
        repository.commit("2", texts: texts)
        var loader = DesiredStateLoader(repository: repository, subpath: "", namespace: "default")
        _ = try loader.load(try repository.resolve("1"))
        _ = try loader.load(try repository.resolve("2"))
        #expect(loader.changed.map { Set($0.map(\.name)) } == ["n", "e"])
        _ = try loader.load(try repository.resolve("2"))
        #expect(loader.changed == [])
    }

    @Test("A file of this machine is looked for again when the same commit is loaded again")
    func lookAgain() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/weights.gguf"
        let repository = MemoryRepository()
        let source = "engine: llama, source: {uri: 'file://\(path)', sha256: \(Digest(of: []).hex)}"
        let texts = ["m.yaml": ManifestIndexTests.model("m", source)]
        repository.commit("1", texts: texts)
        var loader = DesiredStateLoader(repository: repository, subpath: "", namespace: "default")
        let commit = try repository.resolve("1")
        #expect(try loader.load(commit).blocked.values.map(\.word) == ["ArtifactMissing"])
        try folder.write("weights.gguf", Array("weights".utf8))
        #expect(try loader.load(commit).blocked.isEmpty)
        #expect(loader.changed?.map(\.name) == ["m"])
        try FileManager.default.removeItem(atPath: path)
        #expect(try loader.load(commit).blocked.count == 1)
    }
}
