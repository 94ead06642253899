internal import ManifestYAML
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// Staging and production from one base.
@Suite("Overlays")
struct OverlayTests {
    private let repository = MemoryRepository()

    private static let base = [
        "base/model.yaml": ManifestIndexTests.model("m"),
        "base/endpoint.yaml": """
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: desk, labels: {team: a}}
        spec:
          serve: {model: m}
          queue: {limit: 5}

        """,
        "a.gguf": "weights",
    ]

    private static func overlay(_ spec: String, name: String = "production") -> String {
        "apiVersion: martlet.dev/v1\nkind: Overlay\nmetadata: {name: \(name)}\nspec:\n\(spec)"
    }

    private static let production = Self.overlay(
        """
          include: [../base]
          namespace: production
          labels: {stage: production}
          patches:
            - target: {kind: Endpoint, name: desk}
              patch: {spec: {queue: {limit: 9}, access: {anonymous: true}}}
        """
    )

    private func loader(_ path: String = "production") -> DesiredStateLoader {
        DesiredStateLoader(repository: self.repository, subpath: path, namespace: "default")
    }

    private func load(_ texts: [String: String], path: String = "production") throws -> DesiredState {
        self.repository.commit("1", texts: texts)
        var loader = self.loader(path)
        return try loader.load(try self.repository.resolve("1"))
    }

    private static func desk(_ namespace: String) -> ResourceIdentity {
        ResourceIdentity(.endpoint, namespace: namespace, name: "desk")
    }

    @Test("What is included gets namespace, labels and patches, and says where it comes from")
    func includes() throws {
        let texts = Self.base.merging(["production/overlay.yaml": Self.production]) { $1 }
        let state = try self.load(texts)
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        let names = ["Endpoint/production/desk", "Model/production/m", "Overlay/default/production"]
        #expect(state.resources.keys.map(\.description).sorted() == names)
        let desk = try #require(state.resources[Self.desk("production")])
        #expect(desk.labels == ["team": "a", "stage": "production"])
        #expect(desk.canonicalSpec["queue"]?["limit"] == 9)
        #expect(desk.location == SourceLocation(path: "base/endpoint.yaml", line: 1, column: 1))
        #expect(desk.origin?.overlay.description == "Overlay/default/production")
        #expect(desk.origin?.location.path == "production/overlay.yaml")
        #expect(desk.origin?.isPatched == true)
        #expect(state.variants.keys.map(\.description) == ["production/desk"])
        let plain = try Resource(
            Self.desk("production"),
            spec: ["serve": ["model": "m"], "queue": ["limit": 9], "access": ["anonymous": true]]
        )
        #expect(desk.digest == plain.digest)
    }

    static let mistakes: [(overlay: String, expected: String)] = [
        (
            "  include: [../base]\n  patches: [{target: {kind: Endpoint, name: dsk}, patch: {spec: {}}}]\n",
            "production/overlay.yaml:6:45: error: nothing that is included is called Endpoint/default/dsk; "
                + "did you mean 'desk'?"
        ),
        (
            "  include: [../bse]\n",
            "production/overlay.yaml:5:13: error: there is no folder 'bse' in the repository"
        ),
        (
            "  include: [../base/endpoint.yaml]\n",
            "production/overlay.yaml:5:13: error: 'base/endpoint.yaml' is a file, not a folder of the repository"
        ),
        (
            "  include: [../../base]\n",
            "production/overlay.yaml:5:13: error: '../../base' leads out of the repository"
        ),
        (
            "  include: [.]\n",
            "production/overlay.yaml:5:13: error: overlays include each other in a circle: production/overlay.yaml -> "
                + "production/overlay.yaml"
        ),
        (
            "  include: [/base]\n  patches: [{target: {kind: Endpoint, name: desk}, patch: {metadata: {name: x}}}]\n",
            "production/overlay.yaml:6:77: error: a patch cannot change the field 'metadata.name', which names the "
                + "resource"
        ),
    ]

    @Test("A mistake in an overlay is told where it is, and holds back all of it", arguments: mistakes.indices)
    func mistake(index: Int) throws {
        let row = Self.mistakes[index]
        var texts = Self.base
        texts["production/overlay.yaml"] = Self.overlay("  include: [../base]\n")
        self.repository.commit("1", texts: texts)
        var loader = self.loader()
        _ = try loader.load(try self.repository.resolve("1"))
        texts["production/overlay.yaml"] = Self.overlay(row.overlay)
        self.repository.commit("2", texts: texts)
        let state = try loader.load(try self.repository.resolve("2"))
        #expect(state.diagnostics.map(\.description) == [row.expected])
        #expect(state.retained.contains(Self.desk("default")))
        #expect(loader.hasUnreadableFiles)
        texts["production/overlay.yaml"] = Self.overlay("  include: [../base]\n")
        self.repository.commit("3", texts: texts)
        let mended = try loader.load(try self.repository.resolve("3"))
        #expect(mended.diagnostics.isEmpty && mended.retained.isEmpty && !loader.hasUnreadableFiles)
        #expect(mended.resources[Self.desk("default")] != nil)
    }

    @Test("What a patch says wrong is told in the patch, what the base says wrong in the base")
    func places() throws {
        let wrong = Self.overlay(
            """
              include: [../base]
              patches:
                - target: {kind: Endpoint, name: desk}
                  patch:
                    spec:
                      queue: {limt: 9}
                      serve: {model: mm}
            """
        )
        var texts = Self.base.merging(["production/overlay.yaml": wrong]) { $1 }
        var said = try self.load(texts).diagnostics.map(\.description)
        #expect(
            said == [
                "production/overlay.yaml:10:19: error: unknown field 'limt' in Endpoint.spec.queue; did you mean 'limit'?"
            ]
        )
        texts["production/overlay.yaml"] = wrong.replacing("limt", with: "limit")
        said = try self.load(texts).diagnostics.map(\.description)
        #expect(
            said == [
                "production/overlay.yaml:11:26: error: there is no Model 'mm' in namespace 'default'"
            ]
        )
        texts["base/endpoint.yaml"] = Self.base["base/endpoint.yaml"]?.replacing("limit: 5", with: "limi: 5")
        texts["production/overlay.yaml"] = Self.production
        said = try self.load(texts).diagnostics.map(\.description)
        #expect(
            said == [
                "base/endpoint.yaml:6:11: error: unknown field 'limi' in Endpoint.spec.queue; did you mean 'limit'? "
                    + "(as patched by overlay 'production' at production/overlay.yaml:1:1)"
            ]
        )
    }

    @Test("Two stages of one base stand side by side, or are both named where they say the same")
    func stages() throws {
        var texts = Self.base
        texts["stages/production.yaml"] = Self.production
        texts["stages/staging.yaml"] = Self.overlay("  include: [/base]\n  namespace: staging\n", name: "staging")
        let state = try self.load(texts, path: "stages")
        #expect(state.variants.keys.map(\.description).sorted() == ["production/desk", "staging/desk"])
        #expect(state.settings[Self.desk("staging")]?.queue.limit == 5)
        texts["stages/staging.yaml"] = Self.overlay("  include: [/base]\n  namespace: production\n", name: "staging")
        let doubled = try self.load(texts, path: "stages").diagnostics.map(\.description)
        #expect(doubled.count == 4)
        #expect(
            doubled.allSatisfy { $0.contains("Overlay/default/staging") && $0.contains("Overlay/default/production") }
        )
    }

    @Test("An overlay of an overlay patches what the inner one left")
    func nested() throws {
        var texts = Self.base
        texts["middle/overlay.yaml"] = Self.production.replacing("name: production}", with: "name: middle}")
        texts["top/overlay.yaml"] = Self.overlay(
            """
              include: [../middle]
              labels: {stage: top}
              patches:
                - target: {kind: Endpoint, namespace: production, name: desk}
                  patch: {spec: {queue: {limit: null}}}
            """,
            name: "top"
        )
        let state = try self.load(texts, path: "top")
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        let desk = try #require(state.resources[Self.desk("production")])
        #expect(desk.canonicalSpec["queue"]?["limit"] == nil)
        #expect(desk.canonicalSpec["access"] != nil)
        #expect(desk.labels["stage"] == "top")
        texts["middle/overlay.yaml"] = Self.overlay("  include: [../top]\n", name: "middle")
        #expect(try self.load(texts, path: "top").diagnostics.contains { $0.message.contains("in a circle") })
    }

    @Test("A change in the base moves exactly what comes through, and reads one file")
    func incremental() throws {
        var texts = Self.base.merging(["production/overlay.yaml": Self.production]) { $1 }
        for number in 0..<50 { texts["base/m\(number).yaml"] = ManifestIndexTests.model("m\(number)") }
        self.repository.commit("1", texts: texts)
        var loader = self.loader()
        _ = try loader.load(try self.repository.resolve("1"))
        _ = self.repository.takeReadCount()
        texts["base/m7.yaml"] = ManifestIndexTests.model("m7", "engine: replay, source: {uri: a.gguf}")
        self.repository.commit("2", texts: texts)
        _ = try loader.load(try self.repository.resolve("2"))
        #expect(loader.changed.map { Set($0.map(\.description)) } == ["Model/production/m7"])
        // The overlay itself, and the one file.
        #expect(self.repository.takeReadCount() == 2)
        texts["base/m8.yaml"] = nil
        self.repository.commit("3", texts: texts)
        let state = try loader.load(try self.repository.resolve("3"))
        #expect(loader.changed.map { Set($0.map(\.description)) } == ["Model/production/m8"])
        #expect(state.resources[ResourceIdentity(.model, namespace: "production", name: "m8")] == nil)
        texts["production/overlay.yaml"] = nil
        texts["production/other.yaml"] = ManifestIndexTests.model("other")
        self.repository.commit("4", texts: texts)
        #expect(try loader.load(try self.repository.resolve("4")).resources.keys.map(\.name) == ["other"])
    }

    @Test("Any history of base and overlays ends in the state that is read from nothing", arguments: 0..<60)
    func history(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let contents: [String: [String]] = [
            "base/model.yaml": [ManifestIndexTests.model("m"), ManifestIndexTests.model("n"), "kind: Model\n"],
            "base/endpoint.yaml": [
                Self.base["base/endpoint.yaml"] ?? "", ManifestIndexTests.endpoint("desk", model: "n"),
            ],
            "base/more/model.yaml": [ManifestIndexTests.model("n"), ManifestIndexTests.model("m")],
            "base/.martletignore": ["more/\n"],
            "base/inner.yaml": [Self.overlay("  include: [../other]\n", name: "inner")],
            "other/model.yaml": [ManifestIndexTests.model("o"), ManifestIndexTests.model("p")],
            "production/overlay.yaml": [
                Self.production, Self.overlay("  include: [../base]\n"), Self.overlay("  includ: [../base]\n"),
                Self.overlay("  include: [../base, ../other]\n  namespace: production\n"),
            ],
            "production/own.yaml": [
                ManifestIndexTests.model("own"), Self.overlay("  include: [/other]\n", name: "second"),
            ],
        ]
        let paths = contents.keys.sorted()
        var texts = contents.compactMapValues(\.first)
        texts["a.gguf"] = "weights"
        texts["production/.keep"] = ""
        var incremental = self.loader()
        for number in 0..<20 {
            self.repository.commit("\(number)", texts: texts)
            let commit = try self.repository.resolve("\(number)")
            var whole = self.loader()
            let (new, fresh) = (try incremental.load(commit), try whole.load(commit))
            #expect(incremental.hasUnreadableFiles == whole.hasUnreadableFiles)
            // What unreadable files declared before is known to one of the two only.
            if !whole.hasUnreadableFiles {
                #expect(new.resources == fresh.resources, "seed \(seed), commit \(number)")
                #expect(new.diagnostics == fresh.diagnostics, "seed \(seed), commit \(number)")
                #expect(new.retained == fresh.retained, "seed \(seed), commit \(number)")
            }
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let path = random.pick(paths)
                texts[path] = random.oneIn(4) ? nil : random.pick(contents[path] ?? [""])
            }
        }
    }
}
