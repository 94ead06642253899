import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import TestSupport
import Testing

@testable import Gateway

/// Limits of one connection, on a clock that is moved by hand.
struct ConnectionWatchTests {
    private static let limits = ConnectionLimits(
        connections: 2,
        headTime: .seconds(10),
        bodyTime: .seconds(60),
        stallTime: .seconds(30)
    )
    private static let head = HTTPRequestPart.head(
        HTTPRequest(method: .post, scheme: "http", authority: "here", path: "/")
    )

    /// A connection behind the codec, and what is written down about it.
    private struct Connection {
        let channel = EmbeddedChannel()
        let log = LogRecorder(from: .info)
        let connections: OpenConnections

        init(_ limits: ConnectionLimits = ConnectionWatchTests.limits, beside open: OpenConnections? = nil) throws {
            self.connections = open ?? OpenConnections(limit: limits.connections, logger: self.log.logger)
            let watch = ConnectionWatch(limits, connections: self.connections, log: SparseLog(self.log.logger))
            try self.channel.pipeline.syncOperations.addHandler(watch)
            try self.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        /// Something arrives that is no request yet.
        func receivePiece() {
            self.channel.pipeline.fireChannelReadComplete()
        }

        func receive(_ parts: HTTPRequestPart...) throws {
            for part in parts { self.channel.pipeline.fireChannelRead(part) }
            self.channel.pipeline.fireChannelReadComplete()
        }

        func answer() throws {
            try self.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            try self.channel.writeOutbound(HTTPResponsePart.end(nil))
        }

        func pass(_ seconds: Int64) {
            self.channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        }

        var isOpen: Bool { self.channel.isActive }

        /// The status of the next answer that was written.
        func status() throws -> Int? {
            while let part = try self.channel.readOutbound(as: HTTPResponsePart.self) {
                if case .head(let head) = part { return head.status.code }
            }
            return nil
        }

        /// The statuses of all answers that were written and not looked at yet.
        func statuses() throws -> [Int] {
            var statuses: [Int] = []
            while let status = try self.status() { statuses.append(status) }
            return statuses
        }
    }

    @Test("A client that sends its head byte by byte is cut off, however busy it is")
    func slowHead() throws {
        let connection = try Connection()
        for _ in 0..<9 {
            connection.receivePiece()
            connection.pass(1)
        }
        #expect(connection.isOpen)
        connection.receivePiece()
        connection.pass(1)
        #expect(!connection.isOpen)
        #expect(try connection.status() == 408)
        #expect(connection.log.events.count == 1)
        #expect(connection.connections.count == 0)
    }

    @Test("Many clients that are cut off are one line a minute")
    func flood() {
        let recorder = LogRecorder(from: .info)
        let log = SparseLog(recorder.logger)
        var now = NIODeadline.now()
        for _ in 0..<61 {
            log.log(.info, "cut off", metadata: ["client": "a"], at: now)
            now = now + .seconds(1)
        }
        log.log(.info, "something else", metadata: [:], at: now)
        #expect(recorder.events.map(\.message.description) == ["cut off", "cut off", "something else"])
        #expect(recorder.events.map { $0.metadata?["leftOut"]?.description } == [nil, "59", nil])
    }

    @Test("A client that is silent between requests is not this one's affair")
    func silence() throws {
        let connection = try Connection()
        connection.pass(1000)
        try connection.receive(Self.head, .end(nil))
        connection.pass(1000)
        try connection.answer()
        connection.pass(1000)
        #expect(connection.isOpen && connection.log.events.isEmpty)
        #expect(try connection.status() == 200)
    }

    @Test("The head of each request has its own time")
    func nextHead() throws {
        let connection = try Connection()
        for _ in 0..<3 {
            connection.receivePiece()
            connection.pass(9)
            try connection.receive(Self.head, .end(nil))
            try connection.answer()
        }
        connection.receivePiece()
        connection.pass(10)
        #expect(!connection.isOpen)
    }

    @Test("A client that sends its body too slowly is cut off")
    func slowBody() throws {
        let connection = try Connection()
        try connection.receive(Self.head)
        for _ in 0..<59 {
            connection.pass(1)
            try connection.receive(.body(ByteBuffer(string: "x")))
        }
        #expect(connection.isOpen)
        connection.pass(1)
        #expect(!connection.isOpen)
        #expect(try connection.status() == 408)
    }

    @Test("A body that arrives in time has no limit any more")
    func body() throws {
        let connection = try Connection()
        try connection.receive(Self.head)
        connection.pass(59)
        try connection.receive(.body(ByteBuffer(string: "x")), .end(nil))
        connection.pass(1000)
        #expect(connection.isOpen)
    }

    @Test("A body that nobody wants any more is not listened to for long")
    func unwantedBody() throws {
        let connection = try Connection()
        try connection.receive(Self.head)
        try connection.answer()
        connection.pass(9)
        #expect(connection.isOpen)
        connection.pass(1)
        #expect(!connection.isOpen)
        #expect(try connection.statuses() == [200])
    }

    @Test("An answer that came before the end of its request's body is the only one")
    func earlyAnswer() throws {
        let connection = try Connection()
        try connection.receive(Self.head)
        try connection.answer()
        connection.pass(5)
        try connection.receive(.body(ByteBuffer(string: "x")), .end(nil))
        connection.pass(1000)
        #expect(connection.isOpen)
        try connection.receive(Self.head, .end(nil))
        try connection.answer()
        // The head of the next request has its time all the same.
        connection.receivePiece()
        connection.pass(10)
        #expect(try connection.statuses() == [200, 200, 408])
    }

    @Test("A client that does not read is cut off, one that reads again in time is not", arguments: [true, false])
    func stalled(readsAgain: Bool) throws {
        let connection = try Connection()
        try connection.receive(Self.head, .end(nil))
        connection.channel.isWritable = false
        connection.channel.pipeline.fireChannelWritabilityChanged()
        connection.pass(29)
        if readsAgain {
            connection.channel.isWritable = true
            connection.channel.pipeline.fireChannelWritabilityChanged()
        }
        connection.pass(1)
        #expect(connection.isOpen == readsAgain)
        #expect(connection.log.events.map(\.level) == (readsAgain ? [] : [.warning]))
    }

    @Test("A connection that is one too many is told so when it asks, and makes room when it is gone")
    func refused() throws {
        let first = try Connection()
        let second = try Connection(beside: first.connections)
        let third = try Connection(beside: first.connections)
        try third.receive(Self.head, .end(nil))
        #expect(!third.isOpen)
        #expect(try third.status() == 503)
        let fourth = try Connection(beside: first.connections)
        fourth.pass(10)
        #expect(!fourth.isOpen)
        #expect(first.log.events.map(\.message.description) == ["connections are refused: too many are open"])
        try second.channel.close().wait()
        #expect(first.connections.count == 1)
        #expect(first.connections.refusals == 2)
        let fifth = try Connection(beside: first.connections)
        try fifth.receive(Self.head, .end(nil))
        #expect(fifth.isOpen && first.isOpen)
    }
}
