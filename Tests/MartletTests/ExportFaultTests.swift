internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// `martlet export` into a folder, where something goes wrong half-way.
    struct ExportFaultTests {
        /// A controller of two endpoints and a model, whose manifest is the last one that is written and the longest.
        private static func controller() async throws -> (repository: TemporaryRepository, martlet: RunningMartlet) {
            let repository = try TemporaryRepository()
            try repository.write("answers.jsonl", "{\"default\": true, \"output\": \"good day\"}\n")
            let model = """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: replay}
                spec: {engine: replay, source: {uri: answers.jsonl}, card: {description: \(String(repeating: "long-", count: 2000))x}}

                """
            let endpoint = """
                ---
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: replay}
                spec: {serve: {model: replay}, access: {anonymous: true}}

                """
            try repository.commit("all.yaml", model + endpoint)
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            return (repository, martlet)
        }

        /// Runs a script for a shell, with the program as `$1` and the state directory as `$2`.
        private static func sh(_ script: String, _ martlet: RunningMartlet, before: [String] = []) async throws
            -> (end: Program.End, output: String, complaint: String)
        {
            let folder = try TemporaryFolder()
            let program = try Program(
                before + ["sh", "-c", script, "sh", Executable.path, martlet.stateDirectory],
                environment: Executable.environment(),
                output: folder.file("output"),
                complaint: folder.file("complaint")
            )
            let end = await program.finished()
            return (
                end, String(decoding: try folder.read("output"), as: UTF8.self),
                String(decoding: try folder.read("complaint"), as: UTF8.self)
            )
        }

        /// The system kills a process that writes more into a file than it may, here in the midst of the model.
        @Test func killedExportLeavesNothingAndTheNextOneAll() async throws {
            let (repository, martlet) = try await Self.controller()
            defer { withExtendedLifetime(repository) {} }
            let folder = try TemporaryFolder()
            let words = "export -A --state-dir \"$2\" --output-dir '\(folder.path)/new'"
            let killed = try await Self.sh("ulimit -c 0; ulimit -f 8; exec \"$1\" \(words)", martlet)
            #expect(killed.end != .exited(0), "\(killed)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 == "new" } == [])
            let whole = try await Self.sh("exec \"$1\" \(words)", martlet)
            #expect(whole.end == .exited(0), "\(whole)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["new"])
            #expect(whole.output == "default/endpoints/replay.yaml\ndefault/models/replay.yaml\n")
            #expect(try folder.read("new/default/models/replay.yaml").count > 10_000)
        }

        @Test(
            .enabled(if: StateTests.mayMount),
            arguments: [("size=12k", "No space left on device"), ("size=1m,ro", "Read-only file system")]
        )
        func diskThatCannotBeUsedIsNamed(options: String, words: String) async throws {
            let (repository, martlet) = try await Self.controller()
            defer { withExtendedLifetime(repository) {} }
            let folder = try TemporaryFolder()
            let run = try await Self.sh(
                """
                cd '\(folder.path)' && mount -t tmpfs -o \(options) none . && cd "$PWD" || exit 99
                "$1" export -A --state-dir "$2" --output-dir new; echo "ended with $?"; ls -A
                """,
                martlet,
                before: ["unshare", "--user", "--map-root-user", "--mount"]
            )
            #expect(run.output == "ended with 2\n", "\(run)")
            #expect(run.complaint == "error: '\(folder.path)/new' cannot be written: \(words)\n", "\(run)")
        }
    }
}
