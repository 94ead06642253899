internal import ManifestYAML
internal import Planning
internal import Schema
internal import Testing

@Suite struct CommitReaderTests {
    private let repository = MemoryRepository()

    private func names(_ manifests: CommitManifests) -> [String] {
        manifests.index.resources.keys.map(\.name).sorted()
    }

    @Test func onlyChangedFilesAreReadAgain() throws {
        var texts = Dictionary(
            uniqueKeysWithValues: (0..<500).map { ("models/\($0).yaml", ManifestIndexTests.model("m\($0)")) }
        )
        self.repository.commit("1", texts: texts)
        let reader = CommitReader(repository: self.repository)
        let first = try reader.read("1")
        #expect(first.index.resources.count == 500)
        #expect(first.parsedFiles == 500)
        #expect(self.repository.takeReadCount() == 500)

        texts["models/7.yaml"] = ManifestIndexTests.model("seven")
        texts["models/8.yaml"] = nil
        texts["models/9.txt"] = texts.removeValue(forKey: "models/9.yaml")
        self.repository.commit("2", texts: texts)
        let second = try reader.read("2", after: first)
        #expect(self.repository.takeReadCount() == 1)
        #expect(second.parsedFiles == 1)
        #expect(second.commit == "2")
        let gone = Set(first.index.resources.keys).subtracting(second.index.resources.keys).map(\.name)
        #expect(gone.sorted() == ["m7", "m8", "m9"])
        #expect(try reader.read("2").index.resources == second.index.resources)
        #expect(try reader.read("1", after: second).index.resources == first.index.resources)
    }

    @Test func memoryIsGivenUpOnceEverythingWasRead() throws {
        let member = SourceSet.Member(name: "a", repository: self.repository, location: "", ref: "1", path: "")
        let sources = SourceSet([member])
        self.repository.commit("1", texts: ["m.yaml": ManifestIndexTests.model("m")])
        self.repository.commit("2", texts: ["n.yaml": ManifestIndexTests.model("n")])
        let reader = CommitReader(repository: sources, subpath: SourceSet.followedFolders)
        let first = try reader.read(CommitSet(["a": "1"]).id)
        #expect(self.repository.releases == 1)
        #expect(self.names(try reader.read(CommitSet(["a": "2"]).id, after: first)) == ["n"])
        #expect(self.repository.releases == 1)
    }

    /// Two files of git whose paths are equal as strings: neither speaks for the other.
    @Test(arguments: ["su\u{308}d/app.yaml", "su\u{308}d/.martletignore"])
    func fileThatLooksTheSameTakesNothingOver(_ twin: String) throws {
        let own = "s\u{FC}d/app.yaml"
        let reader = CommitReader(repository: self.repository)
        let good = (own, ManifestIndexTests.model("good"))
        let other = (twin, twin.hasSuffix("ignore") ? "*.yaml" : ManifestIndexTests.model("evil"))
        self.repository.commit("1", texts: [good])
        let first = try reader.read("1")
        self.repository.commit("2", texts: [good, other])
        for manifests in [try reader.read("2"), try reader.read("2", after: first)] {
            #expect(self.names(manifests) == ["good"])
            let messages = manifests.index.diagnostics.map { "\($0)" }
            #expect(messages.contains { $0.contains("su\\u{0308}d/app.yaml") } == twin.hasSuffix("app.yaml"))
        }
        // Once the one is gone, the other does not stand in for it.
        self.repository.commit("3", texts: [other])
        #expect(self.names(try reader.read("3", after: try reader.read("2"))) == [])
        self.repository.commit("4", texts: [good])
        let last = try reader.read("4", after: try reader.read("2"))
        #expect(self.names(last) == ["good"] && last.index.diagnostics.isEmpty)
    }

    @Test func ignoredFolderHidesAccentedNamesToo() throws {
        self.repository.commit(
            "1",
            texts: ["old/.martletignore": "*.yaml", "old/\u{301}a.yaml": ManifestIndexTests.model("hidden")]
        )
        #expect(self.names(try CommitReader(repository: self.repository).read("1")) == [])
    }

    /// As a character, a full stop may join with what comes before it.
    @Test func namesEndInBytes() throws {
        self.repository.commit("1", texts: ["a/\u{600}.yaml": ManifestIndexTests.model("a")])
        #expect(self.names(try CommitReader(repository: self.repository).read("1")) == ["a"])
    }

    @Test func onlyTheSubpathCounts() throws {
        self.repository.commit(
            "1",
            texts: ["a/m.yaml": ManifestIndexTests.model("a"), "b/m.yml": ManifestIndexTests.model("b")]
        )
        #expect(self.names(try CommitReader(repository: self.repository, subpath: "b").read("1")) == ["b"])
    }

    @Test func whatIsIgnoredIsLeftOutAndCanComeBack() throws {
        var texts = ["a.yaml": ManifestIndexTests.model("a"), "old/b.yaml": ManifestIndexTests.model("b")]
        texts["old/new/c.yaml"] = ManifestIndexTests.model("c")
        self.repository.commit("1", texts: texts)
        texts[".martletignore"] = "old/b.yaml\n"
        self.repository.commit("2", texts: texts)
        texts["old/.martletignore"] = "new/\n"
        texts["a.yaml"] = ManifestIndexTests.model("aa")
        self.repository.commit("3", texts: texts)
        texts["old/new/d.yaml"] = ManifestIndexTests.model("d")
        self.repository.commit("4", texts: texts)
        texts[".martletignore"] = nil
        self.repository.commit("5", texts: texts)

        let reader = CommitReader(repository: self.repository)
        var manifests = try reader.read("1")
        let expected = ["2": ["a", "c"], "3": ["aa"], "4": ["aa"], "5": ["aa", "b"]]
        for (commit, names) in expected.sorted(by: { $0.key < $1.key }) {
            _ = self.repository.takeReadCount()
            manifests = try reader.read(commit, after: manifests)
            #expect(self.names(manifests) == names)
            #expect(self.names(try reader.read(commit)) == names)
        }
    }

    @Test func aChangedIgnoreFileReadsNoManifestTwice() throws {
        var texts = ["a.yaml": ManifestIndexTests.model("a"), "b.yaml": ManifestIndexTests.model("b")]
        self.repository.commit("1", texts: texts)
        texts[".martletignore"] = "b.yaml\n"
        self.repository.commit("2", texts: texts)
        let reader = CommitReader(repository: self.repository)
        let first = try reader.read("1")
        _ = self.repository.takeReadCount()
        #expect(try reader.read("2", after: first).parsedFiles == 0)
        #expect(self.repository.takeReadCount() == 1)
    }

    @Test func aHugeFileIsRefusedByItsHeaderAndPrunesNothing() throws {
        self.repository.commit(
            "1",
            texts: ["a.yaml": ManifestIndexTests.model("a"), "b.yaml": ManifestIndexTests.model("b")]
        )
        self.repository.commit(
            "2",
            [
                "a.yaml": MemoryRepository.File(bytes: [1], claimedSize: 100 << 20),
                "b.yaml": MemoryRepository.File(bytes: Array(ManifestIndexTests.model("b").utf8)),
            ]
        )
        let reader = CommitReader(repository: self.repository)
        let second = try reader.read("2", after: try reader.read("1"))
        #expect(
            second.index.diagnostics.map(\.description) == [
                "a.yaml:1:1: error: the file has 104857600 bytes; a file of manifests has at most 1048576"
            ]
        )
        #expect(self.names(second) == ["b"])
        #expect(second.index.retained.map(\.name) == ["a"])
        #expect(second.index.unreadablePaths == ["a.yaml"])
    }

    @Test func linksAndSubmodulesAreNotFollowed() throws {
        self.repository.commit(
            "1",
            [
                "link.yaml": MemoryRepository.File(bytes: Array("../outside.yaml".utf8), kind: .link),
                "module.yaml": MemoryRepository.File(bytes: [2], kind: .submodule),
                "pipe.yaml": MemoryRepository.File(bytes: [3], kind: .special),
                "link": MemoryRepository.File(bytes: Array("elsewhere".utf8), kind: .link),
            ]
        )
        let index = try CommitReader(repository: self.repository).read("1").index
        #expect(
            index.diagnostics.map(\.description) == [
                "link.yaml:1:1: warning: a symbolic link is not read as a manifest",
                "module.yaml:1:1: warning: a submodule is not read as a manifest",
                "pipe.yaml:1:1: warning: a pipe, a socket or a device is not read as a manifest",
            ]
        )
        #expect(self.repository.takeReadCount() == 0)
    }

    @Test func whatTheRepositoryThrowsIsPassedOn() throws {
        #expect(throws: MartletError.self) { try CommitReader(repository: self.repository).read("nothing") }
    }
}
