internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema

/// A request as it goes over the wire, and what its answer means.
struct OutboundMessage: Sendable {
    let url: OutboundURL
    private let method: String
    private var headers: [(name: String, value: String)] = []
    private let body: [UInt8]?
    /// The secrets that were sent: nothing that is told about the call may repeat them.
    private var secrets: [String] = []

    /// These belong to the connection, or would make another request of this one.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    /// Throws ``OutboundFailure``; no message repeats a secret.
    init(
        _ request: OutboundRequest,
        to url: OutboundURL,
        limit: Int,
        secret: (SecretReference) throws -> [UInt8]
    ) throws(OutboundFailure) {
        self.url = url
        self.method = request.method
        self.body = request.body.map { Array($0.canonicalJSON.utf8) }
        if let count = self.body?.count, count > limit {
            throw OutboundFailure(
                .invalidInput,
                "the body for \(url.origin) has \(count) bytes; at most \(limit) are sent"
            )
        }
        for (name, value) in request.headers.sorted(by: { $0.key < $1.key }) {
            try self.add(name, value, secret)
        }
        if self.body != nil, !self.has("content-type") { self.headers.append(("content-type", "application/json")) }
        if !self.has("accept") { self.headers.append(("accept", "application/json")) }
        if !self.has("user-agent") { self.headers.append(("user-agent", "martlet")) }
        if let parent = request.traceParent, !self.has("traceparent") { self.headers.append(("traceparent", parent)) }
    }

    private func has(_ name: String) -> Bool { self.headers.contains { $0.name.lowercased() == name } }

    private mutating func add(
        _ name: String,
        _ value: OutboundRequest.HeaderValue,
        _ secret: (SecretReference) throws -> [UInt8]
    ) throws(OutboundFailure) {
        let isToken = !name.isEmpty && name.utf8.allSatisfy { Self.tokenBytes.contains($0) }
        guard isToken, !Self.reserved.contains(name.lowercased()) else {
            throw OutboundFailure(.misconfigured, "'\(name)' is no header that a step may set")
        }
        let text: String
        switch value {
        case .text(let value): text = value
        case .secret(let reference):
            do {
                text = String(decoding: try secret(reference), as: UTF8.self)
            } catch {
                let problem = (error as? MartletError)?.message ?? "it cannot be read"
                throw OutboundFailure(.misconfigured, "the secret of the header '\(name)': \(problem)")
            }
            self.secrets.append(text)
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw OutboundFailure(.misconfigured, "the header '\(name)' has a line break or another control character")
        }
        self.headers.append((name, text))
    }

    private static let tokenBytes = Set("!#$%&'*+-.^_`|~".utf8).union(0x30...0x39).union(0x41...0x5A).union(0x61...0x7A)

    /// For the client, which connects by the host's name to the address that it is bound to.
    func request() throws -> HTTPClient.Request {
        var headers = HTTPHeaders()
        for (name, value) in self.headers { headers.add(name: name, value: value) }
        return try HTTPClient.Request(
            url: self.url.origin + self.url.target,
            method: HTTPMethod(rawValue: self.method),
            headers: headers,
            body: self.body.map { .bytes($0) }
        )
    }

    /// The answer's JSON or text. Throws ``OutboundFailure`` for any status but success.
    func answer(_ response: HTTPClient.Response) throws(OutboundFailure) -> OutboundAnswer {
        let bytes = response.body.map { Array($0.readableBytesView) } ?? []
        guard let whole = String(validating: bytes, as: UTF8.self) else {
            throw OutboundFailure(.invalidAnswer, "\(self.url.origin) answered with bytes that are no text in UTF-8")
        }
        let text = self.clean(whole)
        guard (200...299).contains(response.status.code) else { throw self.refusal(response, text) }
        if text.allSatisfy(\.isWhitespace) { return OutboundAnswer(status: Int(response.status.code), body: .null) }
        if let value = try? JSONValue(parsing: text) {
            return OutboundAnswer(status: Int(response.status.code), body: value)
        }
        guard response.headers.first(name: "content-type")?.lowercased().contains("json") != true else {
            throw OutboundFailure(.invalidAnswer, "\(self.url.origin) calls its answer JSON, which it is not")
        }
        return OutboundAnswer(status: Int(response.status.code), body: .string(text))
    }

    private func refusal(_ response: HTTPClient.Response, _ text: String) -> OutboundFailure {
        let code = response.status.code
        let start = text.split(whereSeparator: \.isNewline).first.map { ": " + $0.prefix(200) } ?? ""
        let said = "\(self.url.origin) answered \(code)\(start)"
        let wait = response.headers.first(name: "retry-after").flatMap { Int($0) }.map { min(max($0, 0), 3600) }
        let kind: OutboundFailure.Kind =
            switch code {
            case 429: .rateLimited
            case 408, 425, 500...599: .unavailable
            case 300..<400: .refused
            case 401, 403, 404, 405: .misconfigured
            default: .rejected
            }
        let hint = (300..<400).contains(code) ? "; redirects are not followed: give the address that it leads to" : ""
        return OutboundFailure(kind, said + hint, status: Int(code), retryAfter: wait)
    }

    /// Any other error on the way there and back.
    func failure(_ error: any Error) -> OutboundFailure {
        if error as? HTTPClientError == .connectTimeout {
            return OutboundFailure(.unavailable, "\(self.url.origin) cannot be reached: the connection took too long")
        }
        if error as? HTTPClientError == .remoteConnectionClosed {
            return OutboundFailure(.unavailable, "\(self.url.origin) closed the connection before its answer ended")
        }
        return OutboundFailure(.unavailable, "\(self.url.origin) cannot be reached: \(self.clean("\(error)"))")
    }

    /// A text without the secrets that were sent, and without what came before them in a header: `Bearer`.
    private func clean(_ text: String) -> String {
        self.secrets.reduce(text) { text, secret in
            let words = secret.split(separator: " ").map(String.init).filter { $0.utf8.count >= 6 }
            return ([secret] + words).filter { !$0.isEmpty }.reduce(text) { $0.replacing($1, with: "***") }
        }
    }
}
