internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// The program as people and scripts meet it: flags, exit codes, messages, files.
    struct CommandLineTests {
        @Test func secondControllerIsRefused() async throws {
            let repository = try Self.emptyRepository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            let second = try await Executable.run(
                ["run", repository.path, "--state-dir", martlet.stateDirectory]
                    + ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]
            )
            #expect(second.code == 2)
            #expect(second.complaint.contains("error: "), "\(second.complaint)")
            #expect(second.complaint.contains(martlet.stateDirectory), "\(second.complaint)")
            // It stole nothing: the first one still answers at its socket.
            #expect(try await martlet.status().source.commit?.id == (try repository.head()))
        }

        @Test func onlyTheOwnerReachesTheSocket() async throws {
            let repository = try Self.emptyRepository()
            let martlet = try await RunningMartlet.started(repository.path)
            #expect(try Self.mode(of: martlet.socket) == 0o600)
            #expect(try Self.mode(of: "\(martlet.stateDirectory)/run") == 0o700)
        }

        @Test(arguments: [
            (["run", "--listen", "nowhere"], "--listen 'nowhere' is no address"),
            (["run", "--memory-budget", "much"], "--memory-budget 'much' is no amount of memory"),
            (["run", "--log-level", "loud"], "--log-level 'loud' is not one of"),
            (["run", "/no/such/repository"], "/no/such/repository"),
            (["frobnicate"], "frobnicate"),
            (["get", "endpoint", "--sideways"], "--sideways"),
            (["rollback", "endpoint/desk"], "--reason"),
            (["status", "--wait", "soon"], "--wait 'soon' is no duration"),
        ])
        func wrongUseIsExplained(_ words: [String], _ complaint: String) async throws {
            let folder = try TemporaryFolder()
            let result = try await Executable.run(words, environment: ["MARTLET_STATE_DIR": folder.path])
            #expect(result.code == 2)
            #expect(result.output.isEmpty)
            #expect(result.complaint.contains(complaint), "\(result.complaint)")
        }

        @Test(arguments: [["status"], ["get", "endpoints"], ["events"], ["audit", "verify"], ["sync"]])
        func silentControllerIsNamed(_ words: [String]) async throws {
            let folder = try TemporaryFolder()
            let result = try await Executable.run(words, environment: ["MARTLET_STATE_DIR": folder.path])
            #expect(result.code == 2)
            #expect(result.output.isEmpty)
            #expect(result.complaint.contains("no controller answers at \(folder.path)/run/admin.sock"))
            #expect(result.complaint.contains("'martlet run'"))
        }

        @Test func socketThatAKilledControllerLeftIsTold() async throws {
            let repository = try Self.emptyRepository()
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            await martlet.kill()
            #expect(FileManager.default.fileExists(atPath: martlet.socket))
            let status = try await martlet.verb("status")
            #expect(status.code == 2)
            let words =
                "error: the controller that listened at \(martlet.socket) is gone; start it again with 'martlet run'"
            #expect(status.complaint.hasPrefix(words), "\(status.complaint)")
            #expect(!status.complaint.contains("errno"), "\(status.complaint)")
        }

        @Test func exitCodesTellWhatIsSo() async throws {
            let repository = try Self.emptyRepository()
            let base = try repository.head()
            try repository.write("answers.jsonl", #"{"input": {"prompt": "hello"}, "output": "good day"}"# + "\n")
            try repository.commit("endpoint.yaml", Self.manifest)
            func code(_ words: String...) async throws -> Int32 {
                try await Executable.run(words, in: repository.path).code
            }
            #expect(try await code("validate") == 0)
            #expect(try await code("plan", "--base", base, "--head", "HEAD") == 1)
            #expect(try await code("plan", "--base", "HEAD", "--head", "HEAD") == 0)
            #expect(try await code("diff", "--base", base, "--head", "HEAD") == 1)
            #expect(try await code("diff", "--base", "HEAD", "--head", "HEAD") == 0)
            #expect(try await code("plan", "--base", "nobody", "--head", "HEAD") == 2)

            let martlet = try await RunningMartlet.started(repository.path)
            let waited = try await martlet.verb("status", "--wait", "60s", "--commit", repository.head())
            #expect(waited.code == 0, "\(waited.complaint)")
            let answer = try await martlet.data.post("/v1/completions", ["model": "replay", "prompt": "hello"])
            #expect(answer.json["choices"]?.array?.first?["text"] == "good day", "\(answer.text)")
            let inVain = try await martlet.verb("status", "--wait", "100ms", "--commit", "0123456789")
            #expect(inVain.code == 1 && inVain.complaint.contains("commit 0123456789 is not in force"))
            #expect(try await martlet.verb("get", "endpoint", "nobody").code == 2)

            try repository.commit("endpoint.yaml", Self.manifest.replacing("serve:", with: "sreve:"))
            #expect(try await code("validate") == 2)
        }

        private static let manifest = """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: replay}
            spec: {engine: replay, source: {uri: answers.jsonl}}
            ---
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: replay}
            spec: {serve: {model: replay}, access: {anonymous: true}}
            """

        private static func emptyRepository() throws -> TemporaryRepository {
            let repository = try TemporaryRepository()
            try repository.commit("README.md", "Nothing yet.\n")
            return repository
        }

        private static func mode(of path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
    }
}
