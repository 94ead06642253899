import Glibc
import Schema
import TestSupport
import Testing

@testable import Commands

/// `martlet validate` over a folder and over a commit.
struct ValidateTests {
    private static func validate(
        _ files: [String: String],
        _ arguments: [String] = [],
        engines: [String] = []
    ) async throws -> CommandLineRun {
        let repository = try TemporaryRepository()
        for (path, text) in files { try repository.write(path, text) }
        return await CommandLineRun.run(["validate", repository.path] + arguments, engines: KnownEngines(engines))
    }

    @Test("Manifests without a fault are counted")
    func sound() async throws {
        let run = try await ValidateTests.validate(Manifests.desk)
        #expect(run.code == 0)
        #expect(run.output == "4 resources, no errors\n")
        #expect(run.errors.isEmpty)
    }

    @Test("A folder outside of git may have what a bare repository has, alone and in the place of a source")
    func namesOfBareRepositories() async throws {
        let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
        for name in ["objects", "models", "prompts"] { #expect(mkdir(folder.file(name), 0o700) == 0) }
        try folder.write("HEAD", Array("of the department\n".utf8))
        for (path, text) in Manifests.desk { try folder.write(path, Array(text.utf8)) }
        let sources = "sources: [{name: shop, url: /nowhere, namespace: shop}]\n"
        try other.write("sources.yaml", Array(sources.utf8))
        let alone = await CommandLineRun.run(["validate", folder.path])
        #expect(alone.output == "4 resources, no errors\n", "\(alone.errors)")
        let standing = await CommandLineRun.run(
            ["validate", "--sources", other.file("sources.yaml"), "--work-tree", "shop=\(folder.path)"]
        )
        #expect(standing.output == alone.output, "\(standing.errors)")
    }

    @Test("Every fault stands on standard error with its place, warnings and errors alike")
    func faults() async throws {
        let files = [
            "a.yaml": """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: a}
            spec: {engine: replya, source: {uri: gone.jsonl}, replcas: 2}
            ---
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: e}
            spec: {serve: {chain: dsk}}
            ---
            apiVersion: martlet.dev/v1
            kind: Tenant
            metadata: {name: t}
            spec: {}

            """
        ]
        let run = try await ValidateTests.validate(files)
        #expect(run.code == 2)
        #expect(
            run.errors == """
                a.yaml:4:16: warning: engine 'replya' is not known here; did you mean 'replay'?
                a.yaml:4:51: error: unknown field 'replcas' in Model.spec; did you mean 'replicas'?
                a.yaml:9:23: error: there is no Chain 'dsk' in namespace 'default'
                a.yaml:11:1: warning: the kind Tenant is checked, but not available in this version

                """
        )
        #expect(run.output == "1 resource, 2 errors, 2 warnings\n")
    }

    @Test("Pipes and sockets are passed over with a warning, and never opened", .timeLimit(.minutes(1)))
    func specialFiles() async throws {
        let repository = try TemporaryRepository()
        for (path, text) in Manifests.desk { try repository.write(path, text) }
        for name in [".gitignore", "pipe.yaml", "pipe.txt"] { #expect(mkfifo(repository.absolute(name), 0o600) == 0) }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(repository.absolute("s.yaml").utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let isBound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        #expect(isBound)
        let run = await CommandLineRun.run(["validate", repository.path])
        #expect(run.code == 0)
        #expect(run.output == "4 resources, no errors, 2 warnings\n")
        #expect(
            run.errors == """
                pipe.yaml:1:1: warning: a pipe, a socket or a device is not read as a manifest
                s.yaml:1:1: warning: a pipe, a socket or a device is not read as a manifest

                """
        )
    }

    @Test("A folder with nothing in it that is no repository either is an error")
    func empty() async throws {
        let folder = try TemporaryFolder()
        let run = await CommandLineRun.run(["validate", folder.path])
        #expect(run.code == 2)
        #expect(run.errors.hasPrefix("error: there is no manifest in '"))
        #expect(run.output.isEmpty)
    }

    @Test("A folder of a repository is said to be no whole one where something is not found")
    func partOfARepository() async throws {
        let repository = try TemporaryRepository()
        for (path, text) in Manifests.desk { try repository.write(path, text) }
        let sound = await CommandLineRun.run(["validate", repository.path])
        #expect(sound.code == 0)
        let part = repository.absolute("prompts")
        try repository.write("prompts/more.yaml", (Manifests.desk["desk.yaml"] ?? ""))
        for verb in ["validate", "plan"] {
            let run = await CommandLineRun.run([verb, part])
            #expect(run.code == 2)
            #expect(run.errors.contains("is no repository but a folder of '\(repository.path)'"))
            #expect(run.errors.contains("--path"))
        }
    }

    @Test("An endpoint that lets nobody in, and fields that nothing carries out, are warnings")
    func warnings() async throws {
        var files = Manifests.desk
        files["more.yaml"] = """
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: closed}
            spec: {serve: {chain: desk}}
            ---
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: busy}
            spec: {serve: {chain: desk}, access: {anonymous: true}, rollout: {stickyBy: tenant}}

            """
        let run = try await ValidateTests.validate(files)
        #expect(run.code == 0)
        #expect(
            run.errors == """
                more.yaml:1:1: warning: nobody may call this endpoint; spec.access says who may: \
                'access: {anonymous: true}' lets all in
                more.yaml:6:1: warning: spec.rollout.stickyBy 'tenant' is not available in this version

                """
        )
    }

    @Test(
        "Rules for batches on an endpoint that has none of its own to batch are a warning",
        arguments: [
            ("chain: desk", "", "prompts share the batches of their language models, up to the models' option 'slots'"),
            (
                "model: tiny", "engine: llama",
                "a language model batches whatever requests there are, up to its option 'slots'"
            ),
            ("model: tiny", "engine: replay", "recordings compute nothing"),
            ("model: tiny", "engine: onnx", nil), ("model: tiny", "engine: another", nil),
        ] as [(String, String, String?)]
    )
    func batching(serve: String, engine: String, reason: String?) async throws {
        var files = Manifests.desk
        if !engine.isEmpty {
            files["models/tiny.yaml"] = files["models/tiny.yaml"]?.replacing("engine: replay", with: engine)
        }
        files["more.yaml"] = """
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: more}
            spec: {serve: {\(serve)}, access: {anonymous: true}, batching: {maxSize: 8}}

            """
        let run = try await ValidateTests.validate(files, engines: ["another"])
        #expect(run.code == 0, "\(run.errors)")
        let warning = "spec.batching has no effect on this endpoint"
        let line = reason.map { "more.yaml:1:1: warning: \(warning): \($0); leave it out\n" }
        #expect(run.errors.contains(line ?? warning) == (reason != nil), "\(run.errors)")
    }

    @Test("Warnings are errors with --strict")
    func strict() async throws {
        let tenant = "apiVersion: martlet.dev/v1\nkind: Tenant\nmetadata: {name: t}\nspec: {}\n"
        let lenient = try await ValidateTests.validate(["t.yaml": tenant])
        #expect(lenient.code == 0)
        #expect(lenient.output == "1 resource, no errors, 1 warning\n")
        let strict = try await ValidateTests.validate(["t.yaml": tenant], ["--strict"])
        #expect(strict.code == 2)
        #expect(strict.errors.hasPrefix("t.yaml:1:1: error: "))
        #expect(strict.output == "1 resource, 1 error\n")
    }

    @Test("An engine that is installed is known, and is asked about the options of its models")
    func engines() async throws {
        let model = (Manifests.desk["models/tiny.yaml"] ?? "").replacing("replay", with: "special, options: {seize: 1}")
        let unknown = try await ValidateTests.validate(Manifests.desk(["models/tiny.yaml": model]))
        #expect(unknown.code == 0)
        #expect(unknown.errors.contains("engine 'special' is not known here"))
        let known = try await ValidateTests.validate(
            Manifests.desk(["models/tiny.yaml": model]),
            engines: ["special"]
        )
        #expect(known.code == 2)
        #expect(known.errors.contains("error: spec.options: there is no option 'seize'"))
        #expect(!known.errors.contains("is not known"))
    }

    @Test("Ignore files leave out what they name; a file that git ignores cannot be referred to")
    func ignored() async throws {
        let broken = "apiVersion: martlet.dev/v1\nkind: Modle\n"
        let ignored = Manifests.desk([
            ".martletignore": "drafts/\n", "drafts/a.yaml": broken, ".gitignore": "build/\n", "build/b.yaml": broken,
            "sub/.gitignore": "c.yaml\n", "sub/c.yaml": broken,
        ])
        #expect(try await ValidateTests.validate(ignored).code == 0)
        let run = try await ValidateTests.validate(Manifests.desk([".gitignore": "*.jsonl\n"]))
        #expect(run.code == 2)
        #expect(run.errors.contains("'models/tiny.jsonl' would not be in the commit: git ignores it"))
    }

    @Test("JSON goes to standard output whole")
    func json() async throws {
        let run = try await ValidateTests.validate(
            ["a.yaml": "apiVersion: martlet.dev/v1\nkind: Modle\n"],
            ["-o", "json"]
        )
        #expect(run.code == 2)
        #expect(run.errors.isEmpty)
        let report = try JSONValue(parsing: run.output)
        #expect(report["errors"] == 1 || report["errors"] == 2)
        #expect(report["diagnostics"]?.array?.first?["location"]?["path"]?.string == "a.yaml")
    }

    @Test("--ref checks a commit, --path a part, -n names the namespace")
    func commit() async throws {
        let folder = try TemporaryFolder()
        let repository = MemoryRepository(["main": ["good/a.yaml": "a: b\n", "bad/b.yaml": "kind: ["]])
        func validate(_ arguments: String...) async -> CommandLineRun {
            await CommandLineRun.run(["validate", folder.path] + arguments, repository: repository)
        }
        #expect(await validate().code == 0)
        #expect(await validate("--ref", "main").code == 2)
        #expect(await validate("--ref", "main", "--path", "good").code == 0)
        #expect(await validate("--ref", "mian").errors == "error: there is no branch 'mian'\n")
        let run = try await ValidateTests.validate(
            ["e.yaml": "apiVersion: martlet.dev/v1\nkind: Endpoint\nmetadata: {name: e}\nspec: {serve: {model: m}}\n"],
            ["-n", "shop"]
        )
        #expect(run.errors.contains("there is no Model 'm' in namespace 'shop'"))
    }
}
