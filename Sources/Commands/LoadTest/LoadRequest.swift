internal import NIOCore
internal import NIOHTTP1
internal import Schema

/// The request that a load test sends again and again, made once.
struct LoadRequest: Sendable {
    let target: LoadTarget
    let head: HTTPRequestHead
    let body: ByteBuffer
    /// Whether whole answers say how many tokens they have.
    let countsTokens: Bool

    /// - Parameters:
    ///   - path: with its query, behind the path that the target itself may have.
    ///   - body: none makes it a GET.
    ///   - headers: more of them, which replace those that are always sent.
    init(_ target: LoadTarget, path: String, body: [UInt8]?, headers: [(name: String, value: String)], agent: String) {
        self.target = target
        self.body = ByteBuffer(bytes: body ?? [])
        self.countsTokens = path.hasSuffix("/completions") || path.hasSuffix("/generate")
        var fields = HTTPHeaders([
            ("host", target.authority), ("user-agent", agent), ("accept", "*/*"),
        ])
        if let body {
            fields.add(name: "content-type", value: "application/json")
            fields.add(name: "content-length", value: String(body.count))
        }
        for header in headers { fields.replaceOrAdd(name: header.name, value: header.value) }
        self.head = HTTPRequestHead(
            version: .http1_1,
            method: body == nil ? .GET : .POST,
            uri: target.prefix + path,
            headers: fields
        )
    }

    /// The whole address, for people.
    var url: String { self.target.address + self.head.uri.dropFirst(self.target.prefix.count) }
}
