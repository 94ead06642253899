internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Schema

/// Asks one listener of a controller over HTTP.
struct DataClient: Sendable {
    /// One whole answer.
    struct Answer: Sendable {
        var status: Int
        /// By their names in lower case.
        var headers: [String: String]
        var body: [UInt8]

        /// The body as JSON; null where it is none.
        var json: JSONValue {
            (try? JSONDecoder().decode(JSONValue.self, from: Data(self.body))) ?? .null
        }

        var text: String { String(decoding: self.body, as: UTF8.self) }

        /// The digits in `x-martlet-revision`.
        var revision: String? { self.headers["x-martlet-revision"] }

        /// The code of an OpenAI error, or of RFC 9457 problem details.
        var errorCode: String? { self.json["error"]?["code"]?.string ?? self.json["code"]?.string }

        /// What a chat completion says.
        var content: String? { self.json["choices"]?.array?.first?["message"]?["content"]?.string }
    }

    /// For any number of streams at once; it lives as long as the test process.
    private static let http = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: HTTPClient.Configuration(
            timeout: .init(connect: .seconds(10)),
            connectionPool: .init(idleTimeout: .seconds(5), concurrentHTTP1ConnectionsPerHostSoftLimit: 200)
        )
    )

    /// Such as `http://127.0.0.1:40123`, or `http+unix://…` of a socket.
    let address: String

    init(address: String) {
        self.address = address
    }

    /// Asks over a Unix socket.
    init(socket path: String) {
        let escaped = path.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? path
        self.init(address: "http+unix://\(escaped)")
    }

    func get(_ path: String) async throws -> Answer {
        try await self.answer(to: self.request(.GET, path, body: nil))
    }

    func post(_ path: String, _ body: JSONValue, headers: [(String, String)] = []) async throws -> Answer {
        try await self.answer(to: self.request(.POST, path, body: body, headers: headers))
    }

    /// Sends bytes as they are.
    func post(_ path: String, bytes: [UInt8], headers: [(String, String)]) async throws -> Answer {
        var request = try self.request(.POST, path, body: nil, headers: headers)
        request.body = .bytes(ByteBuffer(bytes: bytes))
        return try await self.answer(to: request)
    }

    /// `POST /v1/chat/completions` with one message of a user.
    func chat(_ endpoint: String, _ message: String, _ parameters: [String: JSONValue] = [:]) async throws -> Answer {
        try await self.post("/v1/chat/completions", Self.chatBody(endpoint, message, parameters))
    }

    /// The same as a stream; `heard` sees each chunk as it comes.
    func stream(
        _ endpoint: String,
        _ message: String,
        _ parameters: [String: JSONValue] = [:],
        heard: (JSONValue) async throws -> Void = { _ in }
    ) async throws -> StreamedAnswer {
        let parameters = parameters.merging(["stream": true]) { _, new in new }
        let body = Self.chatBody(endpoint, message, parameters)
        let response = try await Self.http.execute(
            self.request(.POST, "/v1/chat/completions", body: body),
            timeout: .seconds(120)
        )
        var answer = StreamedAnswer(status: Int(response.status.code), headers: Self.headers(of: response))
        for try await buffer in response.body {
            for chunk in answer.take(buffer.readableBytesView) { try await heard(chunk) }
        }
        return answer
    }

    private static func chatBody(
        _ endpoint: String,
        _ message: String,
        _ parameters: [String: JSONValue]
    ) -> JSONValue {
        let body: [String: JSONValue] = [
            "model": .string(endpoint),
            "messages": [["role": "user", "content": .string(message)]],
        ]
        return .object(body.merging(parameters) { _, new in new })
    }

    private func request(
        _ method: HTTPMethod,
        _ path: String,
        body: JSONValue?,
        headers: [(String, String)] = []
    ) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: self.address + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        }
        return request
    }

    private func answer(to request: HTTPClientRequest) async throws -> Answer {
        let response = try await Self.http.execute(request, timeout: .seconds(120))
        let body = try await response.body.collect(upTo: 64 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Self.headers(of: response),
            body: Array(body.readableBytesView)
        )
    }

    private static func headers(of response: HTTPClientResponse) -> [String: String] {
        Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
    }
}
