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
    private let base: URL
    private let headers: HTTPHeaders
    private let key: String?

    /// Throws `SecretMissing`, `SecretExposed`, or `InvalidUpstream` for an address that cannot be one.
    ///
    /// - Parameter secret: reads what the manifest only names.
    init(_ member: UpstreamSet.Member, secret: (SecretReference) throws -> [UInt8]) throws {
        guard let base = URL(string: member.url), base.host() != nil else {
            throw MartletError("InvalidUpstream", "'\(member.url)' is no address of a server")
        }
        (self.url, self.model, self.base) = (member.url, member.model, base)
        self.timeout = member.timeout.duration
        var headers: HTTPHeaders = ["user-agent": "martlet"]
        self.key = try member.apiKey.map { try Self.key(try secret($0), $0) }
        if let key = self.key { headers.add(name: "authorization", value: "Bearer \(key)") }
        self.headers = headers
    }

    private static func key(_ bytes: [UInt8], _ reference: SecretReference) throws -> String {
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            let name = reference.fromEnv ?? reference.fromFile ?? ""
            throw MartletError("SecretMissing", "the secret '\(name)' holds characters that no API key has")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A request whose body is the caller's to fill in.
    func request(
        _ method: HTTPMethod,
        _ path: String,
        contentType: String? = "application/json",
        accept: String = "application/json"
    ) throws -> HTTPClient.Request {
        var headers = self.headers
        if let contentType { headers.add(name: "content-type", value: contentType) }
        headers.add(name: "accept", value: accept)
        guard let url = URL(string: self.url + path) else {
            throw MartletError("InvalidUpstream", "'\(self.url)\(path)' is no address of a server")
        }
        return try HTTPClient.Request(url: url, method: method, headers: headers)
    }

    /// A text of the server's, without the key, should it repeat it, and short enough to be told.
    func clean(_ text: String) -> String {
        let text = self.key.map { text.replacing($0, with: "[key]") } ?? text
        return text.count > 500 ? "\(text.prefix(500))…" : text
    }
}
