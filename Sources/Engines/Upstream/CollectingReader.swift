internal import NIOCore
internal import NIOHTTP1
internal import Planning

/// Collects an answer that means nothing before its end.
struct CollectingReader: AnswerReader {
    private let limit: Int
    private let endpoint: UpstreamEndpoint
    private let receive: @Sendable ([UInt8]) throws -> Void
    private var body: [UInt8] = []

    /// - Parameters:
    ///   - limit: the most bytes.
    ///   - receive: gets all of them, once.
    init(
        _ head: HTTPResponseHead,
        limit: Int,
        from endpoint: UpstreamEndpoint,
        _ receive: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.limit = limit
        self.endpoint = endpoint
        self.receive = receive
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        self.body.reserveCapacity(min(max(length, 0), limit, 1 << 20))
    }

    mutating func receive(_ bytes: ByteBuffer) throws {
        guard self.body.count + bytes.readableBytes <= self.limit else {
            throw UpstreamFailure(nonsense: "sent an answer of more than \(self.limit) bytes", from: self.endpoint)
        }
        bytes.withUnsafeReadableBytes { self.body.append(contentsOf: $0) }
    }

    mutating func finish() throws {
        try self.receive(self.body)
    }
}
