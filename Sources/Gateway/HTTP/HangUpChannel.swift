internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// An HTTP/1 connection whose work is cancelled as soon as the client goes away.
///
/// A client that closes its side of the connection counts as gone: one that has stopped listening and one that has
/// only finished talking look alike, and the work of the first must not run on. One watch per connection is enough,
/// since the task that serves a connection runs its handlers too; requests cost nothing more.
struct HangUpChannel: ServerChildChannel {
    let base: HTTP1Channel
    /// How much longer a client may take to send a request once the server shuts down.
    let shutdownPatience: TimeAmount
    /// Whether requests are served on their connections' own threads, which must not block then.
    let servesOnEventLoop: Bool

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.setOption(.allowRemoteHalfClosure, value: false).flatMap {
            self.base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        let executor = self.servesOnEventLoop ? EventLoopExecutor(value.channel.eventLoop) : nil
        let connection = OpenConnection(
            channel: value.channel,
            shutdownPatience: self.shutdownPatience,
            executor: executor
        )
        await withTaskExecutorPreference(executor) {
            await connection.whileOpen {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await self.base.handle(value: value, logger: logger) }
                    // Serving a connection ends with its close, so the group always empties.
                    group.addTask { try? await value.channel.closeFuture.get() }
                    await group.next()
                    group.cancelAll()
                }
            }
        }
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 on connections that notice a hang-up and have limits.
    static func noticingHangUps(
        _ limits: ConnectionLimits = ConnectionLimits(),
        connections: OpenConnections? = nil,
        shutdownPatience: TimeAmount = .seconds(5),
        servesOnEventLoop: Bool = false,
        logger: Logger
    ) -> HTTPServerBuilder {
        let connections = connections ?? OpenConnections(limit: limits.connections, logger: logger)
        let log = SparseLog(logger)
        return HTTPServerBuilder { responder in
            HangUpChannel(
                base: HTTP1Channel(
                    responder: responder,
                    configuration: HTTP1Channel.Configuration(
                        additionalChannelHandlers: [
                            ConnectionWatch(limits, connections: connections, log: log)
                        ],
                        idleTimeout: TimeAmount(limits.idleTime),
                        httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                            maxHeaderFieldSize: limits.headBytes,
                            maxHeaderListSize: limits.headBytes
                        )
                    )
                ),
                shutdownPatience: shutdownPatience,
                servesOnEventLoop: servesOnEventLoop
            )
        }
    }
}
