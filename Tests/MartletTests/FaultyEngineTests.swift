internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Engines that abort or hang, in the probe and in the controller itself.
    struct FaultyEngineTests {
        @Test func abortInTheProbeCostsOnlyTheProbe() async throws {
            let house = try FaultyHouse()
            let martlet = try await RunningMartlet.started(house.repository.path, enginePath: FaultyEngine.folder())
            try await martlet.waitForConvergence(of: house.repository.head())
            try house.trigger()
            let commit = try house.commit("abort-on-load")
            let hold = try await martlet.waitForHold("fragile", of: commit)
            #expect(hold.reason == "ProbeCrashed", "\(hold.message)")
            #expect(martlet.program?.end == nil)
            try await house.expectAnswers(from: martlet, "steady", "fragile")
        }

        /// A model of tensors is probed, loaded and served, and asked for text it says what it takes.
        @Test func modelOfTensorsRefusesText() async throws {
            let house = try FaultyHouse()
            let martlet = try await RunningMartlet.started(house.repository.path, enginePath: FaultyEngine.folder())
            try await martlet.waitForConvergence(of: house.repository.head())
            try house.trigger()
            let commit = try house.commit("tensors")
            try await martlet.waitForConvergence(of: commit)
            let refusal = try await martlet.data.post("/v1/completions", FaultyHouse.request("fragile"))
            #expect(refusal.status == 400)
            #expect(refusal.text.contains("takes tensors (x FP32 [?]), not text"), "\(refusal.text)")
            try await house.expectAnswers(from: martlet, "steady")
        }

        /// A file that passes its probe and then aborts in process takes the controller down once, not in a loop.
        @Test(arguments: [true, false])
        func abortInProcessIsHeldAfterOneCrash(_ hasEarlierRevision: Bool) async throws {
            let house = try FaultyHouse(fragile: hasEarlierRevision ? "ok" : nil)
            let martlet = try await RunningMartlet.started(house.repository.path, enginePath: FaultyEngine.folder())
            try await martlet.waitForConvergence(of: house.repository.head())
            try house.trigger()
            let commit = try house.commit("abort-in-controller")
            #expect(await martlet.program?.finished() == .signalled(SIGABRT))

            try await martlet.start()
            let hold = try await martlet.waitForHold("fragile", of: commit)
            #expect(hold.reason == "CrashedWhileLoading", "\(hold.message)")
            try await martlet.waitForConvergence(of: commit)
            let answering = hasEarlierRevision ? ["steady", "fragile"] : ["steady"]
            for endpoint in answering { try await house.expectAnswers(from: martlet, endpoint) }
            try await martlet.waitForEvent("CrashedWhileLoading")

            // Restarts alone never load it again.
            await martlet.kill()
            try await martlet.start()
            try await martlet.waitForConvergence(of: commit)
            #expect(try await martlet.holds().contains(hold))

            // A person's word does, and one crash more is all that it can cost.
            _ = try await martlet.verb("retry", "endpoint/fragile", "--reason", "perhaps now")
            #expect(await martlet.program?.finished() == .signalled(SIGABRT))
            try await martlet.start()
            #expect(try await martlet.waitForHold("fragile", of: commit).reason == "CrashedWhileLoading")

            try house.calm()
            #expect(try await martlet.verb("retry", "endpoint/fragile", "--reason", "mended").code == 0)
            try await martlet.wait(for: "the file to serve") {
                let variant = try await martlet.variant("fragile")
                return variant?.hold == nil && variant?.promoted == variant?.desired && variant?.serving.count == 1
            }
            try await house.expectAnswers(from: martlet, "steady", "fragile")
            #expect(try await martlet.audit().brokenAt == nil)
        }

        /// What the crash means is known until it is written down, however the processes meanwhile end.
        @Test func crashIsNotForgottenBeforeItIsWrittenDown() async throws {
            let house = try FaultyHouse()
            let martlet = try await RunningMartlet.started(house.repository.path, enginePath: FaultyEngine.folder())
            try await martlet.waitForConvergence(of: house.repository.head())
            try house.trigger()
            let commit = try house.commit("abort-in-controller")
            #expect(await martlet.program?.finished() == .signalled(SIGABRT))
            let note = "\(martlet.stateDirectory)/run/crashed"
            #expect(FileManager.default.fileExists(atPath: note))

            // The database takes everything but what the recovery writes.
            try await Self.alterState(
                of: martlet,
                "CREATE TRIGGER refusal BEFORE DELETE ON loading BEGIN SELECT RAISE(ABORT, 'not now'); END"
            )
            try martlet.launch()
            try await martlet.wait(for: "the recovery to be refused") {
                martlet.log.contains("the control database cannot be written")
            }
            await martlet.kill()
            #expect(FileManager.default.fileExists(atPath: note))

            try await Self.alterState(of: martlet, "DROP TRIGGER refusal")
            try await martlet.start()
            let hold = try await martlet.waitForHold("fragile", of: commit)
            #expect(hold.reason == "CrashedWhileLoading", "\(hold.message)")
            #expect(!FileManager.default.fileExists(atPath: note))
        }

        private static func alterState(of martlet: RunningMartlet, _ statement: String) async throws {
            let folder = try TemporaryFolder()
            let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])"
            let program = try Program(
                ["python3", "-c", script, "\(martlet.stateDirectory)/control.db", statement],
                environment: Executable.environment(),
                output: folder.file("output"),
                complaint: folder.file("complaint")
            )
            #expect(await program.finished() == .exited(0))
        }

        /// A newer commit does not wait for a load that never returns.
        @Test func hangingLoadIsSuperseded() async throws {
            let house = try FaultyHouse()
            let martlet = try await RunningMartlet.started(house.repository.path, enginePath: FaultyEngine.folder())
            try await martlet.waitForConvergence(of: house.repository.head())
            let before = try await martlet.revision("fragile")
            try house.trigger()
            try house.commit("hang-in-controller")
            try await martlet.wait(for: "the load to hang") {
                let actions = try await martlet.plan().steps.map(\.action.word)
                return actions.contains("load") && !actions.contains("probe")
            }
            #expect(try await martlet.revision("fragile") == before)
            try await house.expectAnswers(from: martlet, "steady", "fragile")

            let commit = try house.commit("noisy")
            try await martlet.waitForRevision("fragile", after: before)
            try await martlet.waitForConvergence(of: commit)
            try await house.expectAnswers(from: martlet, "steady", "fragile")
            try await martlet.wait(for: "the abandoned call to be shown") {
                try await martlet.status().abandonedCalls == 1
            }
            #expect(try await martlet.verb("status").output.contains("Abandoned 1 engine calls that hung"))
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }
    }
}

/// A model that hangs while it answers. It waits out a minute's deadline, so it runs beside the other suites.
struct HangingDecodeTests {
    @Test func hangingDecodeIsReplaced() async throws {
        let house = try FaultyHouse(fragile: "hang-on-decode")
        let martlet = try await RunningMartlet.started(house.repository.path, enginePath: FaultyEngine.folder())
        try await martlet.waitForConvergence(of: house.repository.head())
        try await house.expectAnswers(from: martlet, "steady", "fragile")
        try house.trigger()
        let answer = try await martlet.data.post("/v1/completions", FaultyHouse.request("fragile"))
        #expect(answer.status >= 500, "\(answer.text)")
        try await martlet.wait(for: "the hang to be noticed") { try await martlet.status().abandonedCalls == 1 }
        try house.calm()
        try await martlet.wait(for: "the instance to be replaced") {
            try await martlet.data.post("/v1/completions", FaultyHouse.request("fragile")).status == 200
        }
        try await house.expectAnswers(from: martlet, "steady")
    }
}

/// A repository of two models of the faulty engine, each with its endpoint: `steady` is always well, `fragile` is not.
private struct FaultyHouse {
    let repository: TemporaryRepository
    private let folder: TemporaryFolder

    /// - Parameter fragile: how the fragile model behaves in the first commit; nil: it is not there yet.
    init(fragile: String? = "ok") throws {
        self.repository = try TemporaryRepository()
        self.folder = try TemporaryFolder()
        try self.repository.write("steady.yaml", Self.manifest("steady"))
        try self.repository.write("models/steady.model", "ok\n")
        if let fragile {
            try self.commit(fragile)
        } else {
            try self.repository.commit("Only what is steady")
        }
    }

    /// Commits another behaviour of the fragile model; it shows while the trigger is there.
    @discardableResult
    func commit(_ behaviour: String) throws -> ObjectID {
        try self.repository.write("fragile.yaml", Self.manifest("fragile"))
        try self.repository.write("models/fragile.model", "\(behaviour) \(self.folder.file("trigger"))\n")
        return try self.repository.commit("Be \(behaviour)")
    }

    func trigger() throws { try self.folder.write("trigger", []) }

    func calm() throws { try FileManager.default.removeItem(atPath: self.folder.file("trigger")) }

    static func request(_ endpoint: String) -> JSONValue {
        ["model": .string(endpoint), "prompt": "well?", "max_tokens": 3]
    }

    func expectAnswers(from martlet: RunningMartlet, _ endpoints: String...) async throws {
        for endpoint in endpoints {
            let answer = try await martlet.data.post("/v1/completions", Self.request(endpoint))
            #expect(answer.json["choices"]?.array?.first?["text"] == "aaa", "\(endpoint): \(answer.text)")
        }
    }

    private static func manifest(_ name: String) -> String {
        """
        apiVersion: martlet.dev/v1
        kind: Model
        metadata: {name: \(name)}
        spec: {engine: faulty, source: {uri: models/\(name).model}}
        ---
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: \(name)}
        spec: {serve: {model: \(name)}, access: {anonymous: true}}
        """
    }
}
