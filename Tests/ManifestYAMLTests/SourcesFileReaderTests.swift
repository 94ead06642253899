import ManifestYAML
import Schema
import Testing

@Suite("File of sources")
struct SourcesFileReaderTests {
    private func read(_ text: String) -> (file: SourcesFile?, diagnostics: [String]) {
        let (file, diagnostics) = SourcesFileReader.read(Array(text.utf8), path: "sources.yaml")
        return (file, diagnostics.map(\.description))
    }

    @Test("Everything that a source can say is read")
    func everything() throws {
        let (file, diagnostics) = self.read(
            """
            sources:
              - name: shop
                url: git@git.example.org:shop/prompts.git
                ref: v2
                path: deploy/prod
                namespace: shop
                namespaces: [shop-preview]
                poll: 2m
                credentials:
                  username: git
                  password: {fromEnv: TOKEN}
                  sshKey: {fromFile: key}
                  passphrase: {fromEnv: PHRASE}
                  knownHosts: hosts
                hook: {secret: {fromFile: hook}}
            """
        )
        #expect(diagnostics.isEmpty)
        let source = try #require(file?.sources.first)
        #expect(source.name == "shop" && source.url == "git@git.example.org:shop/prompts.git")
        #expect(source.ref == "v2" && source.path == "deploy/prod" && source.namespace == "shop")
        #expect(source.namespaces == .only(["shop-preview"]))
        #expect(source.poll.milliseconds == 120_000)
        #expect(source.credentials?.username == "git")
        #expect(source.credentials?.password == SecretReference(fromEnv: "TOKEN"))
        #expect(source.credentials?.sshKey == SecretReference(fromFile: "key"))
        #expect(source.credentials?.passphrase == SecretReference(fromEnv: "PHRASE"))
        #expect(source.credentials?.knownHosts == "hosts")
        #expect(source.hook?.secret == SecretReference(fromFile: "hook"))
    }

    @Test("What is left out has its default")
    func defaults() throws {
        let file = self.read("sources: [{name: a, url: ../a}, {name: b, url: b, namespaces: '*'}]").file
        let sources = try #require(file?.sources)
        #expect(sources[0] == SourceSpec(name: "a", url: "../a"))
        #expect(sources[0].poll.milliseconds == 30_000 && sources[0].ref == "HEAD")
        #expect(sources[1].namespaces == .all)
    }

    @Test(
        "Where a source may declare resources",
        arguments: [
            (NamespaceReach?.none, "shop", true), (nil, "other", false), (.all, "other", true),
            (.only(["other"]), "other", true), (.only(["other"]), "shop", true), (.only(["other"]), "third", false),
        ]
    )
    func reach(namespaces: NamespaceReach?, namespace: String, isAllowed: Bool) {
        let source = SourceSpec(name: "s", url: "u", namespace: "shop", namespaces: namespaces)
        #expect(source.mayDeclare(in: namespace) == isAllowed)
    }

    @Test("Every error is reported at once, with its place and the nearest word")
    func errors() {
        let (file, diagnostics) = self.read(
            """
            sources:
              - name: shop
                ulr: x
                hook: {secret: "hunter2"}
              - name: Shop_2
                url: y
                credentials: {sshKey: {fromEnv: KEY}}
              - name: shop
                url: z
                namespaces: all
                poll: soon
            """
        )
        #expect(file == nil)
        #expect(
            diagnostics == [
                "sources.yaml:2:5: error: missing field 'url' in Sources.sources[0]",
                "sources.yaml:2:11: error: another source is called 'shop' too; give each a name of its own",
                "sources.yaml:3:5: error: unknown field 'ulr' in Sources.sources[0]; did you mean 'url'?",
                "sources.yaml:4:20: error: Sources.sources[0].hook.secret must be {fromEnv: NAME} or {fromFile: name}; a "
                    + "secret itself never stands in a manifest",
                "sources.yaml:5:11: error: Sources.sources[1].name must be lower-case letters, digits and '-', at most 63, "
                    + "beginning and ending with a letter or digit, not 'Shop_2'; did you mean 'shop-2'?",
                "sources.yaml:7:28: error: missing field 'fromFile' in Sources.sources[1].credentials.sshKey",
                "sources.yaml:7:28: error: unknown field 'fromEnv' in Sources.sources[1].credentials.sshKey",
                "sources.yaml:8:11: error: another source is called 'shop' too; give each a name of its own",
                "sources.yaml:10:17: error: Sources.sources[2].namespaces must be '*', not 'all'",
                "sources.yaml:11:11: error: Sources.sources[2].poll must be a duration such as '30s', '10m' or '24h', not "
                    + "'soon'",
            ]
        )
    }

    @Test(
        "A file that is no file of sources is refused",
        arguments: ["", "# nothing\n", "---\n", "[]", "sources: []", "sources: {}", "a: [", "x: 1", "\u{FEFF}"]
    )
    func refused(text: String) {
        let (file, diagnostics) = self.read(text)
        #expect(file == nil)
        #expect(!diagnostics.isEmpty)
    }

    @Test("Two documents, bytes that are no text and a file that is too large are refused")
    func notOneText() {
        #expect(self.read("sources: []\n---\nsources: []\n").diagnostics.first?.hasPrefix("sources.yaml:3:1:") == true)
        let bytes = SourcesFileReader.read([0x61, 0xFF], path: "s")
        #expect(bytes.file == nil && bytes.diagnostics.first?.message.hasPrefix("not UTF-8") == true)
        let large = SourcesFileReader.read([UInt8](repeating: 0x20, count: (1 << 20) + 1), path: "s")
        #expect(large.file == nil && large.diagnostics.count == 1)
    }
}
