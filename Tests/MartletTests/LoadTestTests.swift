internal import Foundation
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// `martlet loadtest` against a real controller.
    struct LoadTestTests {
        @Test(arguments: [
            (["--prompt", NumberDesk.question, "--requests", "40", "--concurrency", "4"], false),
            (["--prompt", NumberDesk.question, "--stream", "--requests", "40", "--rate", "500/s"], true),
        ])
        func endpointUnderLoad(_ words: [String], isStreamed: Bool) async throws {
            let desk = try NumberDesk(endpoints: 1)
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let run = try await martlet.verb(["loadtest", desk.endpoints[0], "-o", "json"] + words)
            #expect(run.code == 0, "\(run.complaint)")
            let summary = try JSONDecoder().decode(JSONValue.self, from: Data(run.output.utf8))
            #expect(summary["requests"]?["succeeded"] == .integer(40), "\(run.output)")
            #expect(summary["errors"] == .array([]), "\(run.output)")
            #expect(summary["latencyMilliseconds"]?["count"] == .integer(40), "\(run.output)")
            let streamed: JSONValue? = isStreamed ? .integer(40) : nil
            #expect(summary["firstTokenMilliseconds"]?["count"] == streamed, "\(run.output)")
            guard case .integer(let tokens) = summary["tokens"]?["count"] else {
                Issue.record("no tokens: \(run.output)")
                return
            }
            #expect(tokens >= 40)
        }

        @Test func refusalsAreTold() async throws {
            let desk = try NumberDesk(endpoints: 1)
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let run = try await martlet.verb("loadtest", "nobody", "--requests", "3")
            #expect(run.code == 1, "\(run.complaint)")
            #expect(run.output.contains("Errors    3 of 404 model_not_found"), "\(run.output)")
        }

        @Test func interruptedRunTellsWhatIsDone() async throws {
            let desk = try NumberDesk(endpoints: 1)
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let transcript = try TemporaryFolder()
            let words = ["loadtest", desk.endpoints[0], "--prompt", NumberDesk.question, "--duration", "1h"]
            let load = try Program(
                [Executable.path] + words,
                environment: Executable.environment(["MARTLET_STATE_DIR": martlet.stateDirectory]),
                output: transcript.file("output"),
                complaint: transcript.file("complaint")
            )
            try await martlet.wait(for: "requests") {
                let metrics = try await martlet.metrics.get("/metrics").text
                return metrics.contains("gen_ai_server_request_duration_seconds_count{")
            }
            load.signal(SIGINT)
            #expect(await load.finished() == .exited(0))
            let output = try String(contentsOfFile: transcript.file("output"), encoding: .utf8)
            #expect(output.contains("(ended early)"), "\(output)")
            #expect(try String(contentsOfFile: transcript.file("complaint"), encoding: .utf8) == "")
        }
    }
}
