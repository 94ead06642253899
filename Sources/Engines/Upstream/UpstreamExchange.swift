internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema
internal import Synchronization

/// Reads the body of an answer as it arrives.
protocol AnswerReader: Sendable {
    /// Takes the next bytes.
    mutating func receive(_ bytes: ByteBuffer) throws

    /// Takes the end of the body.
    mutating func finish() throws
}

/// One request's answer on its way in: what an error says is kept, what is an answer goes to a reader.
final class UpstreamExchange: HTTPClientResponseDelegate {
    private enum Phase {
        case waiting
        case answering(any AnswerReader)
        /// The upstream answered with an error, whose body is collected.
        case refused(HTTPResponseHead, [UInt8])
        case ended
    }

    /// The most bytes of an error that are read.
    static let longestError = 16 << 10

    private let endpoint: UpstreamEndpoint
    private let makeReader: @Sendable (HTTPResponseHead) throws -> any AnswerReader
    private let phase = Mutex(Phase.waiting)
    private let firstByte = Atomic(false)

    /// - Parameter makeReader: chooses how a good answer is read, by its head.
    init(
        from endpoint: UpstreamEndpoint,
        makeReader: @escaping @Sendable (HTTPResponseHead) throws -> any AnswerReader
    ) {
        self.endpoint = endpoint
        self.makeReader = makeReader
    }

    /// Whether the first byte of a body has come.
    var hasBegun: Bool { self.firstByte.load(ordering: .relaxed) }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        self.advance(task) { _ in
            head.status == .ok ? .answering(try self.makeReader(head)) : .refused(head, [])
        }
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        self.firstByte.store(true, ordering: .relaxed)
        return self.advance(task) { phase in
            switch phase {
            case .answering(var reader):
                try reader.receive(buffer)
                return .answering(reader)
            case .refused(let head, var body):
                body += buffer.readableBytesView.prefix(Self.longestError - body.count)
                return .refused(head, body)
            case .waiting, .ended:
                return phase
            }
        }
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws {
        let phase = self.phase.withLock { phase in
            defer { phase = .ended }
            return phase
        }
        switch phase {
        case .answering(var reader): try reader.finish()
        case .refused(let head, let body): throw UpstreamFailure(refusal: head, body: body, of: self.endpoint)
        case .waiting, .ended: break
        }
    }

    private func advance(
        _ task: HTTPClient.Task<Void>,
        _ change: (Phase) throws -> Phase
    ) -> EventLoopFuture<Void> {
        do {
            // Only the connection's own thread comes here; the lock is for the compiler, and costs next to nothing.
            try self.phase.withLock { phase in
                let current = phase
                // A second reference to what the reader holds would make it copy.
                phase = .ended
                phase = try change(current)
            }
            return task.eventLoop.makeSucceededVoidFuture()
        } catch {
            return task.eventLoop.makeFailedFuture(error)
        }
    }
}
