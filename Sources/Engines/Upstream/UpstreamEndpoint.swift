internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema

/// One upstream of a model, ready to be asked: its address, its key, and how long it may take.
struct UpstreamEndpoint: Sendable {
    /// For people; it holds no secret.
    let url: String
    /// The model's name there.
    let model: String
    let timeout: Duration
    /// How long the first byte of a streamed answer may take, where that is less.
    let firstByteTimeout: Duration?
    private let headers: HTTPHeaders
    /// Requests of a kind that is sent again and again, by path: addresses are slow to take apart.
    private let prepared: [String: HTTPClient.Request]
    private let key: String?

    /// Throws `SecretMissing`, `SecretExposed`, or `InvalidUpstream` for an address that cannot be one.
    ///
    /// - Parameters:
    ///   - paths: where to JSON is posted.
    ///   - secret: reads what the manifest only names.
    init(
        _ member: UpstreamSet.Member,
        paths: [String] = [],
        secret: (SecretReference) throws -> [UInt8]
    ) throws {
        guard URL(string: member.url)?.host() != nil else {
            throw MartletError("InvalidUpstream", "'\(member.url)' is no address of a server")
        }
        (self.url, self.model) = (member.url, member.model)
        self.timeout = member.timeout.duration
        self.firstByteTimeout = member.firstByteTimeout?.duration
        var headers: HTTPHeaders = ["user-agent": "martlet"]
        self.key = try member.apiKey.map { try Self.key(try secret($0), $0) }
        if let key = self.key { headers.add(name: "authorization", value: "Bearer \(key)") }
        self.headers = headers
        headers.add(name: "content-type", value: "application/json")
        headers.add(name: "accept", value: "application/json, text/event-stream")
        var prepared: [String: HTTPClient.Request] = [:]
        for path in paths { prepared[path] = try Self.request(.POST, member.url + path, headers) }
        self.prepared = prepared
    }

    private static func key(_ bytes: [UInt8], _ reference: SecretReference) throws -> String {
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            let name = reference.fromEnv ?? reference.fromFile ?? ""
            throw MartletError("SecretMissing", "the secret '\(name)' holds characters that no API key has")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The model's name as it stands in a path.
    var escapedModel: String {
        self.model.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? self.model
    }

    private static let plain = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
    )

    /// The request that was prepared for a path; its body is the caller's to fill in.
    func post(_ path: String) throws -> HTTPClient.Request {
        try self.prepared[path] ?? self.request(.POST, path, contentType: "application/json")
    }

    /// A request whose body is the caller's to fill in.
    func request(_ method: HTTPMethod, _ path: String, contentType: String?) throws -> HTTPClient.Request {
        var headers = self.headers
        if let contentType { headers.add(name: "content-type", value: contentType) }
        headers.add(name: "accept", value: "application/json")
        return try Self.request(method, self.url + path, headers)
    }

    private static func request(
        _ method: HTTPMethod,
        _ address: String,
        _ headers: HTTPHeaders
    ) throws -> HTTPClient.Request {
        guard let url = URL(string: address) else {
            throw MartletError("InvalidUpstream", "'\(address)' is no address of a server")
        }
        return try HTTPClient.Request(url: url, method: method, headers: headers)
    }

    /// A text of the server's, without the key, should it repeat it, and short enough to be told.
    func clean(_ text: String) -> String {
        let text = self.key.map { text.replacing($0, with: "[key]") } ?? text
        return text.count > 500 ? "\(text.prefix(500))…" : text
    }

    /// The same without the server's address.
    func anonymous(_ text: String) -> String {
        let text = self.clean(text).replacing(self.url, with: "[upstream]")
        return URL(string: self.url)?.host().map { text.replacing($0, with: "[upstream]") } ?? text
    }
}
