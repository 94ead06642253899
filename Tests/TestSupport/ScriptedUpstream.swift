internal import NIOCore
internal import NIOPosix
package import Schema
internal import Synchronization

/// A server on a loopback port that does with its requests whatever a test says, well or badly.
package final class ScriptedUpstream: Sendable {
    /// A request as it came.
    package struct Request: Sendable {
        package var method: String
        package var path: String
        /// By their names in lower case.
        package var headers: [String: String]
        package var body: [UInt8]

        /// The body as JSON; null where it is none.
        package var json: JSONValue { (try? JSONValue(parsing: self.body)) ?? .null }
    }

    /// The way back to a client.
    package struct Connection: Sendable {
        fileprivate let channel: any Channel
        fileprivate let hungUp: AsyncStream<Never>

        /// Sends bytes as they stand.
        package func send(_ text: String) async throws {
            try await self.channel.writeAndFlush(ByteBuffer(string: text))
        }

        /// Sends a whole answer.
        package func answer(
            status: Int = 200,
            type: String = "application/json",
            headers: [String: String] = [:],
            _ body: String
        ) async throws {
            let more = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
            try await self.send(
                "HTTP/1.1 \(status) Scripted\r\ncontent-type: \(type)\r\n\(more)"
                    + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        }

        /// Begins an answer of events, which ends with the connection.
        package func beginEvents() async throws {
            try await self.send(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n"
            )
        }

        /// Sends one event.
        package func event(_ data: String) async throws {
            try await self.send("data: \(data)\n\n")
        }

        package func close() async throws {
            try await self.channel.close()
        }

        /// Closes so that the client sees an error rather than an end.
        package func reset() async throws {
            if let options = self.channel as? any SocketOptionProvider {
                try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            }
            try await self.channel.close()
        }

        /// Returns once the client has hung up.
        package func waitForHangUp() async {
            for await _ in self.hungUp {}
        }
    }

    package typealias Script = @Sendable (Request, Connection) async throws -> Void

    package let port: Int
    private let seen: Mutex<[Request]>

    /// The base of an API there.
    package var url: String { "http://127.0.0.1:\(self.port)/v1" }

    /// Every request so far.
    package var requests: [Request] { self.seen.withLock { $0 } }

    private init(port: Int) {
        self.port = port
        self.seen = Mutex([])
    }

    /// Serves while `body` runs.
    package static func run<Result: Sendable>(
        _ script: @escaping Script,
        _ body: (ScriptedUpstream) async throws -> Result
    ) async throws -> Result {
        let (connections, arrivals) = AsyncStream<any Channel>.makeStream()
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // Nothing is read before somebody serves.
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                // Who comes when all is over is turned away.
                if case .terminated = arrivals.yield(channel) { channel.close(promise: nil) }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedUpstream(port: listener.localAddress?.port ?? 0)
        let (results, finished) = AsyncThrowingStream<Result, any Error>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.serve(connections, script) }
            do {
                finished.yield(try await body(server))
                finished.finish()
            } catch {
                finished.finish(throwing: error)
            }
            group.cancelAll()
            try? await listener.close()
            for try await result in results { return result }
            throw MartletError("NothingServed", "the body gave no result")
        }
    }

    private func serve(_ connections: AsyncStream<any Channel>, _ script: @escaping Script) async {
        await withDiscardingTaskGroup { group in
            for await connection in connections {
                group.addTask { try? await self.serve(connection, script) }
            }
        }
    }

    private func serve(_ channel: any Channel, _ script: @escaping Script) async throws {
        let connection = try await channel.eventLoop.submit {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }.get()
        try await connection.executeThenClose { inbound, _ in
            try await channel.setOption(.autoRead, value: true).get()
            let (hungUp, hangUp) = AsyncStream<Never>.makeStream()
            let (requests, arrivals) = AsyncStream<Request>.makeStream()
            let way = Connection(channel: connection.channel, hungUp: hungUp)
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await request in requests { try? await script(request, way) }
                }
                var bytes: [UInt8] = []
                do {
                    for try await buffer in inbound {
                        bytes += buffer.readableBytesView
                        while let request = Request(takingFrom: &bytes) {
                            self.seen.withLock { $0.append(request) }
                            arrivals.yield(request)
                        }
                    }
                } catch {
                    // A connection that breaks has ended too.
                }
                arrivals.finish()
                hangUp.finish()
            }
        }
    }
}

extension ScriptedUpstream.Request {
    /// Takes the first request out of what has come, once all of it has.
    fileprivate init?(takingFrom bytes: inout [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        let start = text[..<end.upperBound].utf8.count
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count >= start + length else { return nil }
        self.init(
            method: String(words[0]),
            path: String(words[1]),
            headers: headers,
            body: Array(bytes[start..<start + length])
        )
        bytes.removeFirst(start + length)
    }
}
