internal import NIOHTTP1
internal import Planning
internal import Synchronization

/// An answer that is read when all of it is there, while it is on its way in.
final class CollectedAnswer<Answer: Sendable>: Sendable {
    private let endpoint: UpstreamEndpoint
    private let limit: Int
    private let read: @Sendable (HTTPResponseHead, [UInt8]) throws -> Answer
    private let answer = Mutex<Answer?>(nil)

    /// - Parameter limit: the most bytes.
    init(
        from endpoint: UpstreamEndpoint,
        limit: Int,
        _ read: @escaping @Sendable (HTTPResponseHead, [UInt8]) throws -> Answer
    ) {
        self.endpoint = endpoint
        self.limit = limit
        self.read = read
    }

    /// What the answer comes in by.
    var exchange: UpstreamExchange {
        UpstreamExchange(from: self.endpoint) { head in
            CollectingReader(head, limit: self.limit, from: self.endpoint) { body in
                let answer = try self.read(head, body)
                self.answer.withLock { $0 = answer }
            }
        }
    }

    /// What was read. Throws ``UpstreamFailure`` before the exchange has ended.
    func get() throws -> Answer {
        guard let answer = self.answer.withLock({ $0 }) else {
            throw UpstreamFailure(nonsense: "sent no answer", from: self.endpoint)
        }
        return answer
    }
}
