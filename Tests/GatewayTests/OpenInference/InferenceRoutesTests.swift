import HTTPTypes
import HummingbirdTesting
import NIOCore
import Planning
import Schema
import Serving
import Synchronization
import Testing

@testable import Gateway

@Suite("Open Inference Protocol")
struct InferenceRoutesTests {
    private static let revision = FakeEndpoints.revision.description
    private static let request = #"{"id": "9", "inputs": [\#(InferCallTests.input)]}"#
    private static let signature = TensorSignature(
        inputs: [TensorDescription(name: "x", datatype: .int8, shape: [-1])],
        outputs: [TensorDescription(name: "y", datatype: .bytes, shape: nil)]
    )

    private static func error(_ reply: Reply) -> String { reply.json?["error"]?.string ?? "" }

    @Test("The server says what it is, and that it is there")
    func server() async throws {
        let reply = try await ask(FakeEndpoints(), "/v2", method: .get)
        #expect(reply.json?["name"] == "martlet")
        #expect(reply.json?["version"] == "1.2.3")
        #expect(reply.json?["extensions"]?.array?.contains("binary_tensor_data") == true)
        #expect(reply.header("x-request-id") == "id1")
        #expect(try await ask(FakeEndpoints(), "/v2/health/live", method: .get).json == ["live": true])
    }

    @Test("Who is not ready says so by status and by words, and why")
    func readiness() async throws {
        let server = try await ask(FakeEndpoints(), "/v2/health/ready", method: .get)
        #expect(server.status == 503)
        #expect(server.json?["live"] == true)
        #expect(server.json?["ready"] == false)
        #expect(Self.error(server) == "idle: no revision serves yet")
        let desk = try await ask(FakeEndpoints(), "/v2/models/desk/ready", method: .get)
        #expect(desk.status == 200)
        #expect(desk.json == ["name": "desk", "live": true, "ready": true])
        let idle = try await ask(FakeEndpoints(), "/v2/models/idle/ready", method: .get)
        #expect(idle.status == 503)
        #expect(idle.json?["ready"] == false)
        #expect(idle.header("retry-after") == "1")
        #expect(try await ask(FakeEndpoints(), "/v2/models/dusk/ready", method: .get).status == 404)
    }

    @Test("An endpoint says what it takes and gives", arguments: ["", "/versions/\(FakeEndpoints.revision)"])
    func metadata(version: String) async throws {
        let reply = try await ask(
            FakeEndpoints(signature: Self.signature),
            "/v2/models/shop.desk\(version)",
            method: .get
        )
        let input: JSONValue = ["name": "x", "datatype": "INT8", "shape": [-1]]
        let output: JSONValue = ["name": "y", "datatype": "BYTES", "shape": [-1]]
        #expect(
            reply.json == [
                "name": "shop.desk", "versions": [.string(Self.revision)], "platform": "scripted", "inputs": [input],
                "outputs": [output],
            ]
        )
        #expect(reply.header("x-martlet-revision") == Self.revision)
        let text = try await ask(FakeEndpoints(), "/v2/models/desk", method: .get)
        #expect(text.json?["inputs"]?.array?.first?["name"] == "text_input")
    }

    @Test("The index lists every endpoint with its state", arguments: [HTTPRequest.Method.get, .post])
    func index(method: HTTPRequest.Method) async throws {
        let reply = try await ask(FakeEndpoints(), "/v2/repository/index", method: method)
        #expect(reply.json?.array?.map { $0["name"] } == ["desk", "shop.desk", "idle"])
        #expect(reply.json?.array?.map { $0["state"] } == ["READY", "READY", "UNAVAILABLE"])
        #expect(reply.json?.array?.first?["version"] == .string(Self.revision))
        let ready = try await ask(FakeEndpoints(), "/v2/repository/index", #"{"ready": true}"#)
        #expect(ready.json?.array?.count == 2)
    }

    @Test("Tensors go in and come out, stamped and under the request's id")
    func infer() async throws {
        let calls = Mutex<[EndpointCall<TensorRequest>]>([])
        let service = FakeEndpoints(tensors: { call in
            calls.withLock { $0.append(call) }
            return call.body.inputs
        })
        let reply = try await ask(service, "/v2/models/shop.desk/versions/\(Self.revision)/infer", Self.request)
        let output: JSONValue = ["name": "x", "datatype": "INT8", "shape": [2], "data": [1, 2]]
        #expect(
            reply.json == [
                "model_name": "shop.desk", "model_version": .string(Self.revision), "id": "9", "outputs": [output],
            ]
        )
        #expect(reply.header("x-martlet-revision") == Self.revision)
        #expect(reply.header("x-martlet-commit") == FakeEndpoints.commit)
        #expect(reply.header("content-type") == "application/json")
        let call = try #require(calls.withLock { $0 }.first)
        #expect(call.endpoint == FakeEndpoints.shopDesk)
        #expect(call.revision == Self.revision)
        #expect(call.requestID == "id1")
    }

    @Test(
        "Priorities above 1 give way, and time-outs are microseconds",
        arguments: [(0, RequestPriority.normal), (1, .normal), (2, .background)]
    )
    func priority(number: Int, priority: RequestPriority) throws {
        let body = #"{"inputs": [], "parameters": {"priority": \#(number), "timeout": 5000}}"#
        let request = try InferCall(Array(body.utf8)).tensors
        #expect(request.priority == priority)
        #expect(request.timeout == .milliseconds(5))
    }

    @Test("Binary data go both ways")
    func binary() async throws {
        let json = #"""
            {"inputs": [{"name": "x", "shape": [2], "datatype": "INT8", "parameters": {"binary_data_size": 2}}],
             "parameters": {"binary_data_output": true}}
            """#
        let reply = try await ask(
            FakeEndpoints(),
            "/v2/models/desk/infer",
            json + "ab",
            headers: [.inferenceHeaderContentLength: "\(json.utf8.count)"]
        )
        #expect(reply.status == 200)
        #expect(reply.header("content-type") == "application/octet-stream")
        let length = try #require(reply.header("inference-header-content-length").flatMap { Int($0) })
        #expect(reply.text.dropFirst(length) == "ab")
        let output: JSONValue = [
            "name": "x", "datatype": "INT8", "shape": [2], "parameters": ["binary_data_size": 2],
        ]
        #expect(try JSONValue(parsing: String(reply.text.prefix(length)))["outputs"] == [output])
    }

    @Test(
        "Refusals have the protocol's form and the right status",
        arguments: [
            ("/v2/models/desk/infer", "{", nil, 400, "not JSON"),
            ("/v2/models/desk/infer", #"{"model_name": "shop.desk", "inputs": []}"#, nil, 400, "path names 'desk'"),
            ("/v2/models/desk/infer", request, "0", 400, "Inference-Header-Content-Length"),
            ("/v2/models/desk/infer", "", "1", 400, "Inference-Header-Content-Length"),
            ("/v2/models/desk/infer", request, "many", 400, "Inference-Header-Content-Length"),
            ("/v2/models/desk/infer", request, "10", 400, "not JSON"),
            (
                "/v2/models/dusk/infer", request, nil, 404,
                "no model 'dusk', or you may not use it; GET /v2/repository/index"
            ),
            ("/v2/models/a.b.c/generate", "{}", nil, 404, "GET /v2/repository/index lists"),
            ("/v2/models/idle/infer", request, nil, 503, "not serving"),
            ("/v2/models/desk/versions/abc/infer", "{}", nil, 400, "inputs"),
            ("/v2/models/desk/infer", String(repeating: " ", count: 2000), nil, 413, "1024 bytes"),
            ("/v2/none", "", nil, 404, "nothing at"),
            ("/v2/health/live", "", nil, 405, "GET"),
            ("/v2/repository/models/desk/load", "{}", nil, 403, "Git says"),
            ("/v2/repository/models/desk/unload", "{}", nil, 403, "Git says"),
            ("/v2/systemsharedmemory/region/r/register", "{}", nil, 404, "no memory"),
            ("/v2/cudasharedmemory/status", "{}", nil, 404, "no memory"),
            ("/v2/models/desk/trace/setting", "{}", nil, 404, "no settings"),
            ("/v2/repository/index", #"{"redy": true}"#, nil, 400, "'ready'"),
        ] as [(String, String, String?, Int, String)]
    )
    func refusals(path: String, body: String, headerLength: String?, status: Int, words: String) async throws {
        var headers: HTTPFields = [:]
        headers[.inferenceHeaderContentLength] = headerLength
        let reply = try await ask(FakeEndpoints(maxBodyBytes: 1024), path, body, headers: headers)
        #expect(reply.status == status)
        #expect(Self.error(reply).contains(words), "\(reply.text)")
        #expect((reply.header("retry-after") != nil) == (status == 503))
    }

    @Test("Busy endpoints say when to come again")
    func busy() async throws {
        let service = FakeEndpoints(tensors: { _ in throw CallError(.queueFull, "the queue is full", retryAfter: 3) })
        let reply = try await ask(service, "/v2/models/desk/infer", Self.request)
        #expect(reply.status == 429)
        #expect(reply.header("retry-after") == "3")
        #expect(Self.error(reply) == "the queue is full")
    }

    @Test("Compressed bodies are refused in words", arguments: ["/v2/models/desk/infer", "/v1/chat/completions"])
    func compressed(path: String) async throws {
        let reply = try await ask(FakeEndpoints(), path, Self.request, headers: [.contentEncoding: "gzip"])
        #expect(reply.status == 415)
        #expect(reply.text.contains("send it as it is"))
    }

    @Test("Text is generated whole")
    func generate() async throws {
        let service = FakeEndpoints()
        let body = #"{"id": "3", "text_input": "Hi", "parameters": {"max_tokens": 5, "stop": ["x"], "stream": false}}"#
        let reply = try await ask(service, "/v2/models/desk/generate", body)
        #expect(
            reply.json == [
                "id": "3", "model_name": "desk", "model_version": .string(Self.revision), "text_output": "Hello there",
                "finish_reason": "stop",
            ]
        )
        #expect(reply.header("x-martlet-prompt-tokens") == "7")
        let call = try #require(service.textCalls.first)
        #expect(call.body.prompt == .text("Hi"))
        #expect(call.body.maxTokens == 5)
        #expect(call.body.stop == ["x"])
    }

    @Test("Text is generated piece by piece, and a failure on the way is the last event")
    func generateStream() async throws {
        let path = "/v2/models/desk/generate_stream"
        let reply = try await ask(FakeEndpoints(), path, #"{"text_input": "Hi"}"#)
        #expect(reply.header("content-type") == "text/event-stream; charset=utf-8")
        let pieces = try reply.events.map { try JSONValue(parsing: $0) }
        #expect(pieces.map { $0["text_output"] } == ["Hello", " there", ""])
        #expect(pieces.map { $0["finish_reason"] } == [nil, nil, "stop"])
        let failing = FakeEndpoints(text: { _ in
            FakeEndpoints.stream(["a"], error: CallError(.interrupted, "it was cut short"))
        })
        #expect(try await ask(failing, path, #"{"text_input": "Hi"}"#).events.last == #"{"error":"it was cut short"}"#)
    }

    @Test(
        "Generation refuses what it cannot do",
        arguments: [
            (#"{"text_input": "x", "parameters": {"stream": true}}"#, "use generate_stream"),
            (#"{"text_input": "x", "parameters": {"max_token": 1}}"#, "'max_tokens'"),
            (#"{"text_input": "x", "max_tokens": 1}"#, "not a known parameter"), ("{}", "'text_input' is required"),
        ]
    )
    func generateRefusals(body: String, words: String) async throws {
        let reply = try await ask(FakeEndpoints(), "/v2/models/desk/generate", body)
        #expect(reply.status == 400)
        #expect(Self.error(reply).contains(words), "\(reply.text)")
    }
}
