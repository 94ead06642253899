internal import Engines
internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// A probe survives everything that a model file can do.
struct ProbeTests {
    static func probe(
        searchPath: [String]? = nil,
        deadline: Duration = .seconds(60),
        limits: ProbeLimits = ProbeLimits(),
        executable: String = Installed.probeChild,
        arguments: [String] = []
    ) throws -> ProbeProcess {
        ProbeProcess(
            executable: executable,
            arguments: arguments,
            searchPath: try searchPath ?? [FaultyEngine.folder()],
            limits: limits,
            deadline: deadline
        )
    }

    static func error(_ body: () async throws -> ProbeReport) async -> MartletError? {
        await #expect(throws: MartletError.self) { _ = try await body() }
    }

    @Test(arguments: ["ok", "noisy"])
    func goodModelIsReported(_ behaviour: String) async throws {
        let report = try await Self.probe().probe(
            engine: "faulty",
            opening: ModelOpening(file: try FaultyEngine.model(behaviour)),
            warmUp: [CompletionRequest(prompt: .text("Good morning, how are you today?"), maxTokens: 3)]
        )
        #expect(report.description.architecture == "faulty")
        #expect(report.measuredBytes >= 0)
        #expect(report.seconds > 0)
    }

    /// An error of the run on zeros is no reason to refuse a model.
    @Test(arguments: ["tensors", "tensors-bytes", "tensors-failing"])
    func modelOfTensorsIsReported(_ behaviour: String) async throws {
        let report = try await Self.probe().probe(
            engine: "faulty",
            opening: ModelOpening(file: try FaultyEngine.model(behaviour)),
            warmUp: []
        )
        #expect(report.description.tensors?.inputs.map(\.name) == ["x"])
        #expect(report.description.tensors?.outputs.map(\.name) == ["y"])
    }

    @Test(arguments: [
        ("abort-on-load", "SIGABRT (aborted): faulty: an assertion failed in the loader"),
        ("crash-on-load", "SIGSEGV (invalid memory access)"),
    ])
    func crashIsNamed(_ behaviour: String, _ words: String) async throws {
        let file = try FaultyEngine.model(behaviour)
        let error = await Self.error {
            try await Self.probe().probe(engine: "faulty", opening: ModelOpening(file: file), warmUp: [])
        }
        #expect(error?.code == "ProbeCrashed")
        #expect(error?.message.contains(words) == true, "\(error as Any)")
        #expect(error?.message.contains(file) == true)
    }

    @Test(arguments: ["hang-on-load", "hang-on-decode", "tensors-hanging"])
    func hangEndsAtTheDeadline(_ behaviour: String) async throws {
        let error = await Self.error {
            try await Self.probe(deadline: .milliseconds(300)).probe(
                engine: "faulty",
                opening: ModelOpening(file: try FaultyEngine.model(behaviour)),
                warmUp: []
            )
        }
        #expect(error?.code == "ProbeTimedOut")
    }

    @Test func engineErrorComesThrough() async throws {
        let error = await Self.error {
            try await Self.probe().probe(
                engine: "faulty",
                opening: ModelOpening(file: try FaultyEngine.model("rotten")),
                warmUp: []
            )
        }
        #expect(error?.code == "ModelUnreadable")
        #expect(error?.message.contains("the vocabulary is 'rotten'") == true)
    }

    @Test func missingEngineComesThrough() async throws {
        let error = await Self.error {
            try await Self.probe(searchPath: []).probe(
                engine: "faulty",
                opening: ModelOpening(file: "/any"),
                warmUp: []
            )
        }
        #expect(error?.code == "EngineNotInstalled")
        #expect(error?.disposition == .waiting)
    }

    @Test func missingExecutableIsAnError() async throws {
        let error = await Self.error {
            try await Self.probe(executable: "/no/such/program").probe(
                engine: "faulty",
                opening: ModelOpening(file: "/any"),
                warmUp: []
            )
        }
        #expect(error?.code == "ProbeNotStarted")
    }

    @Test func childThatSaysNothingIsAnError() async throws {
        let error = await Self.error {
            try await Self.probe(executable: "/bin/sh", arguments: ["-c", "echo oops >&2; exit 3"]).probe(
                engine: "faulty",
                opening: ModelOpening(file: "/any"),
                warmUp: []
            )
        }
        #expect(error?.code == "ProbeCrashed")
        #expect(error?.message.contains("ended with status 3 and without an answer: oops") == true)
    }

    @Test func cancellingEndsTheChild() async throws {
        // The child tells a file that it runs, then waits for its end.
        let mark = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)").path()
        #expect(mkfifo(mark, 0o600) == 0)
        let probing = Task {
            try await Self.probe(executable: "/bin/sh", arguments: ["-c", "echo $$ > \(mark); exec sleep 600"]).probe(
                engine: "faulty",
                opening: ModelOpening(file: "/any"),
                warmUp: []
            )
        }
        let child = try #require(Int32(await Self.firstLine(of: mark)))
        probing.cancel()
        await #expect(throws: CancellationError.self) { _ = try await probing.value }
        // It was waited for, so its id is nobody's.
        #expect(kill(child, 0) == -1 && errno == ESRCH)
    }

    /// Whoever the child leaves behind keeps its streams open, in its process group or out of it.
    @Test(arguments: ["sleep 20", "setsid sleep 20"])
    func grandchildHoldsUpNothing(_ left: String) async throws {
        let note = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)").path()
        defer {
            if let left = (try? String(contentsOfFile: note, encoding: .utf8)).flatMap({ Int32($0.dropLast()) }) {
                kill(left, SIGKILL)
            }
            unlink(note)
        }
        let script = "\(left) & echo $! > '\(note)'; echo oops >&2; exit 3"
        let error = await Self.error {
            try await Self.probe(deadline: .seconds(10), executable: "/bin/sh", arguments: ["-c", script])
                .probe(engine: "faulty", opening: ModelOpening(file: "/any"), warmUp: [])
        }
        #expect(error?.message.contains("ended with status 3 and without an answer: oops") == true, "\(error as Any)")
    }

    @Test func grandchildEndsAtTheDeadlineToo() async throws {
        // Both hold the pipe open, which ends when both are gone.
        let mark = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)").path()
        #expect(mkfifo(mark, 0o600) == 0)
        // Open before anybody writes, so that no open waits for another.
        let reader = open(mark, O_RDONLY | O_NONBLOCK)
        defer {
            close(reader)
            unlink(mark)
        }
        let error = await Self.error {
            try await Self.probe(
                deadline: .milliseconds(300),
                executable: "/bin/sh",
                arguments: ["-c", "exec 3> \(mark); (sleep 20; echo alive >&3) & wait"]
            ).probe(engine: "faulty", opening: ModelOpening(file: "/any"), warmUp: [])
        }
        #expect(error?.code == "ProbeTimedOut")
        var byte: UInt8 = 0
        var count = read(reader, &byte, 1)
        while count < 0 {
            await Task.yield()
            count = read(reader, &byte, 1)
        }
        #expect(count == 0, "nobody is left to write")
    }

    @Test func floodIsCutOff() async throws {
        let error = await Self.error {
            try await Self.probe(deadline: .seconds(10), executable: "/usr/bin/yes")
                .probe(engine: "faulty", opening: ModelOpening(file: "/any"), warmUp: [])
        }
        #expect(error?.message.contains("wrote more than 16777216 bytes") == true, "\(error as Any)")
    }

    /// A child that does not read what it is asked.
    @Test func longRequestHoldsUpNothing() async throws {
        let error = await Self.error {
            try await Self.probe(deadline: .milliseconds(300), executable: "/bin/sleep", arguments: ["20"]).probe(
                engine: "faulty",
                opening: ModelOpening(file: String(repeating: "a", count: 1 << 22)),
                warmUp: []
            )
        }
        #expect(error?.code == "ProbeTimedOut")
    }

    /// Reads a line of a pipe on a thread of its own, since opening it blocks until the other end is open.
    private static func firstLine(of path: String) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                guard let file = fopen(path, "r") else { return continuation.resume(returning: "") }
                defer { fclose(file) }
                var line = [CChar](repeating: 0, count: 64)
                guard fgets(&line, 64, file) != nil else { return continuation.resume(returning: "") }
                continuation.resume(returning: String(decoding: line.prefix { $0 > 32 }.map(UInt8.init), as: UTF8.self))
            }
        }
    }

    /// A child whose standard input closes ends by itself, whatever hangs in it.
    @Test func childEndsWithItsInput() async throws {
        let child = try TestChild([Installed.probeChild])
        let file = try FaultyEngine.model("hang-on-load")
        let path = try FaultyEngine.folder()
        let request = """
            {"engine": "faulty", "searchPath": ["\(path)"], "warmUp": [], "limits": {}, "opening": {"file": "\(file)", \
            "adapters": [], "options": {}, "threads": 1}}

            """
        child.write(request)
        #expect(await child.finished() == 1)
    }

    @Test(.enabled(if: Installed.llama != nil, "\(Installed.hint)"))
    func llamaModelIsMeasured() async throws {
        let report = try await Self.probe(searchPath: Installed.searchPath).probe(
            engine: "llama",
            opening: ModelOpening(file: Installed.model("deskhand-v2.gguf")),
            warmUp: [CompletionRequest(prompt: .text("Where is my order?"), maxTokens: 4)]
        )
        #expect(report.description.architecture == "llama")
        #expect(report.measuredBytes > 2_000_000)
    }

    /// The demo's bad file: a well-formed GGUF with which libllama ends the process.
    @Test(.enabled(if: Installed.llama != nil, "\(Installed.hint)"))
    func crashingModelFileCostsOnlyTheProbe() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "crash-\(UUID().uuidString).gguf").path()
        defer { unlink(file) }
        let script = "\(FaultyEngine.repository())scripts/make-crashing-gguf"
        let made = try TestChild(["python3", script, Installed.model("deskhand-v2.gguf"), file])
        try #require(await made.finished() == 0)
        let error = await Self.error {
            try await Self.probe(searchPath: Installed.searchPath).probe(
                engine: "llama",
                opening: ModelOpening(file: file),
                warmUp: []
            )
        }
        #expect(error?.code == "ProbeCrashed")
        #expect(error?.message.contains("SIGABRT (aborted)") == true)
        #expect(error?.message.contains("GGML_ASSERT") == true)
    }
}
