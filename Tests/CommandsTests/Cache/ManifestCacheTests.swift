import Foundation
import Planning
import Schema
import TestSupport
import Testing

@testable import Commands

/// The offline verbs with what earlier runs found out, and without.
struct ManifestCacheTests {
    private let folder: TemporaryFolder
    private let root: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        self.root = try TemporaryFolder()
    }

    private var cacheFolder: String { "\(self.folder.path)/manifests" }

    /// The files of the cache, by name.
    private func cached() throws -> [String] {
        guard FileManager.default.fileExists(atPath: self.cacheFolder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: self.cacheFolder).sorted()
    }

    private func run(
        _ arguments: [String],
        _ repository: any SourceRepository,
        build: String = "",
        cache: String? = nil
    ) async -> CommandLineRun {
        var arguments = arguments
        arguments.insert(self.root.path, at: 1)
        return await CommandLineRun.run(
            arguments,
            repository: repository,
            cache: cache ?? self.folder.path,
            build: build
        )
    }

    private static let plan = ["plan", "--base", "old", "--head", "new"]

    /// One changed prompt of one team.
    private static func onePrompt() -> CountingRepository {
        let old = TeamsRepository().files
        var new = old
        new["b/p1.yaml"] = TeamsRepository.prompt("b", 1, "Say something else.")
        return CountingRepository(["old": old, "new": new])
    }

    // MARK: The same answer

    @Test(
        "Whatever changes, every verb prints the same with what was kept as without",
        arguments: 0..<6 as Range<UInt64>
    )
    func sameOutput(_ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var teams = TeamsRepository()
        var history: [String] = []
        for round in 0..<6 {
            let old = teams.files
            // Mistakes are mended now and then, or hardly anything would be sound.
            if round % 3 == 2 { teams = TeamsRepository() }
            for _ in 0..<Int.random(in: 1...2, using: &random) { history.append(teams.change(&random)) }
            let repository = MemoryRepository(["old": old, "new": teams.files])
            for verb in [
                Self.plan + ["-o", "json"], ["diff", "--base", "old", "--head", "new"],
                ["validate", "--strict", "--ref", "new"],
            ] {
                let known = await self.run(verb, repository)
                let anew = await self.run(verb + ["--no-cache"], repository)
                #expect(known.output == anew.output, "\(verb) after \(history)")
                #expect(known.errors == anew.errors, "\(verb) after \(history)")
                #expect(known.code == anew.code, "\(verb) after \(history)")
            }
        }
    }

    @Test("The same with overlays and with policies that are broken", arguments: 0..<4 as Range<UInt64>)
    func sameOutputOfStages(_ seed: UInt64) async throws {
        var random = SeededRandom(seed: 100 + seed)
        var sound = TeamsRepository()
        sound.addStages()
        sound.files["b/policy.yaml"] = random.pick([nil, TeamsRepository.strictPolicy(random.pick(["warn", "deny"]))])
        var teams = sound
        var history: [String] = []
        for round in 0..<4 {
            if round % 3 == 2 { teams = sound }
            let old = teams.files
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                history.append(random.oneIn(3) ? teams.change(&random) : teams.changeStages(&random))
            }
            let repository = MemoryRepository(["old": old, "new": teams.files])
            for verb in [
                Self.plan + ["-o", "json"], ["diff", "--base", "old", "--head", "new", "-o", "json"],
                ["validate", "--ref", "new"],
            ] {
                let known = await self.run(verb, repository)
                let anew = await self.run(verb + ["--no-cache"], repository)
                #expect(known.output == anew.output, "\(verb) after \(history)")
                #expect(known.errors == anew.errors, "\(verb) after \(history)")
                #expect(known.code == anew.code, "\(verb) after \(history)")
            }
        }
    }

    @Test(
        "A policy that only an overlay changes judges what nothing changed about",
        arguments: ["patch", "namespace", "overlay", "ignored folder"]
    )
    func policiesThroughOverlays(_ change: String) async throws {
        var old: [String: String] = [
            "base/policy.yaml": TeamsRepository.stagedPolicy
                .replacingOccurrences(of: "{limits: {replicas: 3}}", with: "{limits: {replicas: 1}}"),
            "apps/e0.yaml": TeamsRepository.endpoint(
                "staging",
                0,
                "{model: shared/m0}",
                ", replicas: {min: 2, max: 2}"
            ),
        ].merging(TeamsRepository().files) { first, _ in first }
        var new = old
        let overlay = """
            apiVersion: martlet.dev/v1
            kind: Overlay
            metadata: {name: staging, namespace: staging}
            spec:
              include: [base]
              namespace: staging

            """
        new["staging.yaml"] = overlay
        switch change {
        case "patch":
            old["base/policy.yaml"] = TeamsRepository.stagedPolicy
            old["staging.yaml"] = overlay
            new["base/policy.yaml"] = TeamsRepository.stagedPolicy
            new["staging.yaml"] = overlay + "  patches:\n" + TeamsRepository.policyPatch("deny")
        case "namespace":
            old["staging.yaml"] = overlay.replacingOccurrences(of: "  namespace: staging", with: "  namespace: b")
        case "ignored folder":
            old[".martletignore"] = "base/\n"
            new[".martletignore"] = "base/\n"
        default: break
        }
        let repository = MemoryRepository(["old": old, "new": new])
        for verb in [["validate", "--ref", "new"], Self.plan] {
            let before = await self.run(["validate", "--ref", "old"], repository)
            #expect(before.code == 0 && !before.errors.contains("replica"), "\(before.errors)")
            let known = await self.run(verb, repository)
            let anew = await self.run(verb + ["--no-cache"], repository)
            #expect(anew.errors.contains("at most 1 replica, not 2"), "\(anew.errors)")
            #expect(known.output == anew.output && known.errors == anew.errors && known.code == anew.code)
        }
    }

    @Test("An overlay and a broken policy spare what they do not reach")
    func sparesBesideOverlays() async throws {
        var old = TeamsRepository()
        old.addStages()
        // Policies are always read, and the overlays with all that those need if they come through them.
        for path in ["base/policy.yaml", "apps/e0.yaml"] { old.files[path] = nil }
        old.files["b/policy.yaml"] = TeamsRepository.strictPolicy("deny")
        old.files["b/e0.yaml"] = TeamsRepository.endpoint("b", 0, "{chain: c0}", ", replicas: {min: 2, max: 2}")
        for (path, text) in [
            ("a/p1.yaml", TeamsRepository.prompt("a", 1, "Say something else.")),
            ("staging.yaml", TeamsRepository.stage("staging", replicas: 2)),
        ] {
            var new = old.files
            new[path] = text
            let repository = CountingRepository(["old": old.files, "new": new])
            let anew = await self.run(Self.plan + ["--no-cache"], repository)
            let all = repository.reads
            _ = await self.run(Self.plan, repository)
            _ = repository.reads
            let known = await self.run(Self.plan, repository)
            let reads = repository.reads
            #expect(reads > 0 && reads < all * 3 / 4, "\(reads) of \(all) reads after a change of \(path)")
            #expect(known.output == anew.output && known.errors == anew.errors && known.code == anew.code)
            #expect(known.errors.contains("at most 1 replica, not 2"), "\(known.errors)")
        }
    }

    @Test("The work tree is checked beside what was kept of it, and of commits")
    func workTree() async throws {
        let files = TeamsRepository().files
        for folder in ["a", "a-b", "b", "shared"] {
            try FileManager.default.createDirectory(
                atPath: self.root.file(folder),
                withIntermediateDirectories: false
            )
        }
        for (path, text) in files { try self.root.write(path, Array(text.utf8)) }
        let repository = CountingRepository(["HEAD": files])
        let first = await self.run(["validate"], repository)
        #expect(first.code == 0)
        #expect(try self.cached().count == 1)
        try self.root.write("a/c0.yaml", Array(TeamsRepository.chain("a", 0, model: "shared/gone").utf8))
        let second = await self.run(["validate"], repository)
        #expect(second.code == 2)
        #expect(second.errors.contains("there is no Model 'gone' in namespace 'shared'"))
        try self.root.write("a/c0.yaml", Array(TeamsRepository.chain("a", 0, model: "shared/m1").utf8))
        let plan = await self.run(["plan"], repository)
        let anew = await self.run(["plan", "--no-cache"], repository)
        #expect(plan.output == anew.output && plan.code == 1)
        #expect(plan.output.contains("Chain/a/c0 changed"))
    }

    @Test("A folder outside of git that holds no manifest any more is refused as one that never held any")
    func emptiedFolder() async throws {
        let verb = ["validate", self.root.path]
        try self.root.write("p.yaml", Array(TeamsRepository.prompt("a", 0, "Say something.").utf8))
        #expect(await CommandLineRun.run(verb, cache: self.folder.path).code == 0)
        #expect(try self.cached().count == 1)
        try FileManager.default.removeItem(atPath: self.root.file("p.yaml"))
        let run = await CommandLineRun.run(verb, cache: self.folder.path)
        let anew = await CommandLineRun.run(verb)
        #expect(run.code == 2 && run.errors.contains("there is no manifest in"), "\(run)")
        #expect(run.errors == anew.errors && run.output == anew.output)
    }

    /// As a character, the slash joins with what ends the folder's name.
    @Test("A changed ignore file is noticed whatever its folder is called")
    func ignoreFileOfOddFolder() async throws {
        var old = TeamsRepository().files
        old["odd\u{600}/m.yaml"] = TeamsRepository.chain("a", 0, model: "shared/m1")
        old["odd\u{600}/.martletignore"] = "*.yaml"
        var new = old
        new["odd\u{600}/.martletignore"] = "nothing"
        let repository = CountingRepository(["old": old, "new": new])
        #expect(await self.run(["validate", "--ref", "old"], repository).code == 0)
        let run = await self.run(["validate", "--ref", "new"], repository)
        #expect(run.code == 2 && run.errors.contains("Chain/a/c0 is declared more than once"), "\(run)")
    }

    // MARK: Less work

    @Test("A plan reads what the change reaches, and its base no second time")
    func readsLittle() async throws {
        let repository = Self.onePrompt()
        let all = 20
        let anew = await self.run(Self.plan + ["--no-cache"], repository)
        #expect(repository.reads >= all)
        #expect(try self.cached().isEmpty)
        _ = await self.run(Self.plan, repository)
        #expect(repository.reads >= all)
        let known = await self.run(Self.plan, repository)
        let reads = repository.reads
        #expect(known.output == anew.output)
        // The prompt in both commits, each twice, then its chain, endpoint and model, and one endpoint more of the model.
        #expect(reads > 0 && reads < all / 2, "\(reads) reads")
    }

    @Test("A check reads what changed since the last one")
    func checksLittle() async throws {
        let repository = Self.onePrompt()
        _ = await self.run(["validate", "--ref", "old"], repository)
        #expect(repository.reads >= 20)
        let run = await self.run(["validate", "--ref", "new"], repository)
        #expect(repository.reads < 20)
        #expect(run.output == "20 resources, no errors, 6 warnings\n")
    }

    @Test("Manifests with an error are not kept")
    func keepsNoErrors() async throws {
        var files = TeamsRepository().files
        files["a/p0.yaml"] = nil
        let run = await self.run(["validate", "--ref", "old"], MemoryRepository(["old": files]))
        #expect(run.code == 2)
        #expect(try self.cached().isEmpty)
    }

    // MARK: What is kept

    @Test(
        "Other builds, options and engines do not take what was kept",
        arguments: [["--path", "a"], ["--namespace", "other"], ["--policy-namespace", "a"]]
    )
    func otherOptions(_ options: [String]) async throws {
        let files = TeamsRepository().files.filter { $0.key.hasPrefix("a/") || $0.key.hasPrefix("shared/") }
        let repository = CountingRepository(["old": files])
        _ = await self.run(["validate", "--ref", "old"], repository)
        let all = repository.reads
        let run = await self.run(["validate", "--ref", "old"] + options, repository)
        let anew = await self.run(["validate", "--ref", "old", "--no-cache"] + options, repository)
        #expect(run.output == anew.output && run.errors == anew.errors)
        _ = repository.reads
        _ = await self.run(["validate", "--ref", "old"], repository, build: "other")
        #expect(repository.reads == all)
    }

    @Test("What is cut off, changed or somebody else's is not believed, and made anew")
    func damaged() async throws {
        let repository = Self.onePrompt()
        let sound = await self.run(Self.plan, repository)
        let name = try #require(try self.cached().first)
        let file = "\(self.cacheFolder)/\(name)"
        let whole = try #require(FileManager.default.contents(atPath: file))
        var damages: [Data] = [Data(), Data("something else".utf8), whole + Data([0])]
        for step in stride(from: 0, to: whole.count, by: whole.count / 20) {
            damages.append(whole.prefix(step))
            var flipped = whole
            flipped[step] ^= 1
            damages.append(flipped)
        }
        for damage in damages {
            try damage.write(to: URL(filePath: file))
            _ = repository.reads
            let run = await self.run(Self.plan, repository)
            #expect(run.output == sound.output && run.code == sound.code)
            #expect(repository.reads >= 20)
            #expect(FileManager.default.contents(atPath: file) == whole)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: file)
        _ = repository.reads
        _ = await self.run(Self.plan, repository)
        #expect(repository.reads >= 20)
    }

    @Test("Its files are for their owner alone")
    func permissions() async throws {
        _ = await self.run(Self.plan, Self.onePrompt())
        let name = try #require(try self.cached().first)
        for (path, mode) in [(self.cacheFolder, 0o700), ("\(self.cacheFolder)/\(name)", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
        }
    }

    @Test("A folder that cannot be written is as good as none")
    func unwritable() async throws {
        let repository = Self.onePrompt()
        let anew = await self.run(Self.plan + ["--no-cache"], repository)
        try self.folder.write("file", Array("in the way".utf8))
        let run = await self.run(Self.plan, repository, cache: "\(self.folder.path)/file")
        #expect(run.output == anew.output && run.errors == anew.errors && run.code == anew.code)
        #expect(ManifestCache.folder(environment: ["MARTLET_CACHE": "", "HOME": "/home/a"]) == nil)
        #expect(ManifestCache.folder(environment: ["HOME": "/home/a"]) == "/home/a/.cache/martlet/manifests")
        #expect(ManifestCache.folder(environment: ["XDG_CACHE_HOME": "/c"]) == "/c/martlet/manifests")
    }

    @Test("Several at once keep one whole file")
    func concurrent() async throws {
        let repository = Self.onePrompt()
        let anew = await self.run(Self.plan + ["--no-cache"], repository)
        await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { await self.run(Self.plan, repository) } }
            for await run in group { #expect(run.output == anew.output && run.code == anew.code) }
        }
        #expect(try self.cached().count == 1)
        _ = repository.reads
        _ = await self.run(Self.plan, repository)
        #expect(repository.reads < 10)
    }

    @Test("The oldest states go when there are too many")
    func bounded() throws {
        for number in 0..<ManifestCache.mostFiles + 5 {
            let cache = ManifestCache(folder: self.cacheFolder, options: "all", root: "/\(number)")
            cache.write(CheckedManifests(files: [.init(path: "\(number).yaml", object: "0")]))
        }
        #expect(try self.cached().count == ManifestCache.mostFiles)
        let last = ManifestCache(folder: self.cacheFolder, options: "all", root: "/\(ManifestCache.mostFiles + 4)")
        #expect(Array(last.candidates).first?.files.first?.path == "\(ManifestCache.mostFiles + 4).yaml")
    }

    @Test("What is written is read back, whole or not at all")
    func bytes() throws {
        let place = SourceLocation(path: "ä.yaml", line: 1, column: 2)
        let model = ResourceIdentity(.model, namespace: "a", name: "m")
        let checked = CheckedManifests(
            files: [.init(path: "ä.yaml", object: "12")],
            nodes: [.init(name: model.description, file: 0, references: [0])],
            artifacts: [.init(node: 0, path: "w", object: "34")],
            instances: [false, true].map {
                let key = InstanceKey(Digest(of: [1]))
                return .init(node: 0, model: model, key: key, bytes: 1 << 40, isDeclared: !$0, isLazy: $0)
            },
            unsettled: [0],
            policies: Digest(of: [2]),
            warnings: [Diagnostic(.warning, at: place, "w", resource: model)],
            unavailable: [Diagnostic(.warning, at: place, "u")]
        )
        let bytes = checked.bytes
        #expect(CheckedManifests(bytes: bytes) == checked)
        for end in bytes.indices { #expect(CheckedManifests(bytes: bytes[..<end]) == nil) }
        // Nothing that is changed makes it crash, or point beyond its own lists.
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0xFF
            guard let read = CheckedManifests(bytes: damaged) else { continue }
            #expect(read.nodes.allSatisfy { $0.file < read.files.count })
        }
    }
}
