import Schema
import Testing

@testable import Commands

@Suite(.timeLimit(.minutes(1)))
struct LoadTestVerbTests {
    private static let good = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    private static func run(
        _ server: ScriptedServer,
        _ words: [String],
        interruption: (@Sendable () async -> Void)? = nil
    ) async throws -> (run: CommandLineRun, summary: JSONValue) {
        let words = ["loadtest"] + words + ["--data-plane", server.address, "-o", "json"]
        let run =
            if let interruption { await CommandLineRun.run(words, interruption: interruption) } else {
                await CommandLineRun.run(words)
            }
        return (run, (try? JSONValue(parsing: Array(run.output.utf8))) ?? .null)
    }

    @Test("Requests go out one after another on as many connections as there are clients", arguments: [1, 7])
    func closedLoop(clients: Int) async throws {
        let server = try ScriptedServer { _, _ in .bytes(Self.good) }
        let (run, summary) = try await Self.run(server, ["desk", "--requests", "50", "--concurrency", "\(clients)"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(summary["requests"]?["succeeded"] == .integer(50) && summary["bytes"] == .integer(100))
        #expect(summary["latencyMilliseconds"]?["count"] == .integer(50))
        #expect(server.log.count == 50 && server.connectionCount == clients)
        #expect(run.errors == "")
    }

    @Test("A constant rate sends what is due, and no more")
    func constantRate() async throws {
        let server = try ScriptedServer { _, _ in .bytes(Self.good) }
        let (run, summary) = try await Self.run(server, ["desk", "--rate", "1000/s", "--requests", "30"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(server.log.count == 30)
        #expect(summary["ratePerSecond"] == .integer(1000) && summary["requests"]?["unsent"] == .integer(0))
    }

    @Test("What is not answered well ends with 1, told by its sort")
    func failures() async throws {
        let server = try ScriptedServer { _, number in
            let refusal = #"{"error":{"code":"busy","message":"Too many requests wait."}}"#
            switch number {
            case 0: return .bytes(Self.good)
            case 1: return .bytes("HTTP/1.1 503 No\r\ncontent-length: \(refusal.count)\r\n\r\n\(refusal)")
            case 2: return .end
            case 3: return .bytes("What?\r\n\r\n")
            case 4: return .silence
            default: return .bytes("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            }
        }
        let (run, summary) = try await Self.run(server, ["desk", "--requests", "8", "--timeout", "300ms"])
        #expect(run.code == 1, "\(run.errors)")
        let errors = summary["errors"]?.array ?? []
        #expect(
            Set(errors) == [
                ["status": 503, "code": "busy", "count": 1, "message": "Too many requests wait."],
                ["code": "connection_closed", "count": 1],
                ["code": "invalid_answer", "count": 1], ["code": "timeout", "count": 1],
            ]
        )
        #expect(summary["requests"]?["succeeded"] == .integer(4) && server.log.count == 8)
    }

    @Test("Whoever interrupts it gets what is done")
    func interrupted() async throws {
        let (answered, answer) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { _, number in
            if number == 5 { answer.yield() }
            return number < 5 ? .bytes(Self.good) : .silence
        }
        let (run, summary) = try await Self.run(server, ["desk", "--duration", "1h"]) {
            for await _ in answered { return }
        }
        #expect(run.code == 0, "\(run.errors)")
        #expect(summary["interrupted"] == .bool(true) && summary["requests"]?["answered"] == .integer(5))
    }

    @Test(
        "Each sort of request goes where it belongs",
        arguments: [
            (
                ["desk"], "POST /v1/chat/completions",
                #"{"messages":[{"content":"Hello!","role":"user"}],"model":"desk"}"#
            ),
            (
                ["shop/desk", "--prompt", "Hi", "--stream", "--max-tokens", "5"], "POST /v1/chat/completions",
                #"{"max_completion_tokens":5,"messages":[{"content":"Hi","role":"user"}],"model":"shop/desk","#
                    + #""stream":true,"stream_options":{"include_usage":true}}"#
            ),
            (
                ["find", "-n", "shop", "--embed", "sofa"], "POST /v1/embeddings",
                #"{"input":"sofa","model":"shop/find"}"#
            ),
            (["shop/iris", "--data", "{}"], "POST /v2/models/shop.iris/infer", "{}"),
            (["--path", "/v1/models?x=1"], "GET /v1/models?x=1", ""),
            (["desk", "--path", "/v1/x", "--data", "[1]", "--header", "x-key:  7 "], "POST /v1/x", "[1]"),
        ]
    )
    func requests(words: [String], line: String, body: String) async throws {
        let server = try ScriptedServer { _, _ in .bytes(Self.good) }
        let (run, _) = try await Self.run(server, words + ["--requests", "1"])
        #expect(run.code == 0, "\(run.errors)")
        let request = try #require(server.log.first)
        #expect(request.hasPrefix("\(line) HTTP/1.1\r\n"))
        #expect(request.hasSuffix("\r\n\r\n\(body)"))
        #expect(request.lowercased().contains("\r\nhost: 127.0.0.1:\(server.port)\r\n"))
        #expect(request.contains("x-key: 7\r\n") == words.contains("--header"))
    }

    @Test(
        "Nobody there is nothing to test",
        arguments: [
            (["--data-plane", "http://127.0.0.1:1"], "nothing answers at http://127.0.0.1:1: connection_refused"),
            (["--state-dir", "/nonexistent"], "/nonexistent/run/addresses.json names no data plane"),
            (["--data-plane", "desk:8080"], "'desk:8080' is no address of a data plane"),
            (["--data-plane", "http://here/?a=b"], "is no address of a data plane"),
            (["--infer", "/nonexistent.json"], "'/nonexistent.json' cannot be read"),
        ]
    )
    func nobodyThere(words: [String], complaint: String) async {
        let address = words.contains("--infer") ? ["--data-plane", "http://127.0.0.1:1"] : []
        let run = await CommandLineRun.run(["loadtest", "desk"] + words + address)
        #expect(run.code == 2 && run.output == "")
        #expect(run.errors.contains(complaint), "\(run.errors)")
    }

    @Test(
        "Wrong options are explained",
        arguments: [
            ([], "name the endpoint, or give --path"),
            (["Desk!"], "'Desk!' is no name"),
            (["desk", "--rate", "fast"], "--rate 'fast' is no rate"),
            (["desk", "--rate", "0/s"], "--rate '0/s' is no rate"),
            (["desk", "--rate", "2M/s"], "--rate goes up to 1M/s"),
            (["desk", "--concurrency", "0"], "--concurrency goes from 1 to 1000"),
            (["desk", "--duration", "5"], "--duration '5' is no length of time"),
            (["desk", "--duration", "5s", "--requests", "3"], "give --duration or --requests, not both"),
            (["desk", "--prompt", "a", "--embed", "b"], "give --prompt or --embed, not both"),
            (["desk", "--embed", "b", "--stream"], "--stream and --max-tokens go with --prompt"),
            (["desk", "--infer", "a", "--data", "b"], "--data goes with --path"),
            (["desk", "--body", "a"], "--body goes with --path"),
            (["--path", "v1 x"], "--path 'v1 x' is no path"),
            (["desk", "--header", "nothing"], "--header 'nothing' is no header"),
        ]
    )
    func wrongUse(words: [String], complaint: String) async {
        let run = await CommandLineRun.run(["loadtest"] + words)
        #expect(run.code == 2 && run.output == "")
        #expect(run.errors.contains(complaint), "\(run.errors)")
    }
}
