internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// The connection that a request comes in by, known to all that works for the request.
final class OpenConnection: Sendable {
    /// Nil where a request comes in by none, as in tests of routes alone.
    @TaskLocal static var current: OpenConnection?

    private struct State {
        var isReading = false
        var isShuttingDown = false
        /// Closes the connection where reading takes too long.
        var close: Scheduled<Void>?
    }

    /// Runs what is done for its requests; nil: any thread does.
    let executor: EventLoopExecutor?
    private let channel: any Channel
    private let shutdownPatience: TimeAmount
    private let state = Mutex(State())

    /// - Parameter shutdownPatience: how much longer a client may take to send its request once the server shuts down.
    init(channel: any Channel, shutdownPatience: TimeAmount, executor: EventLoopExecutor?) {
        self.channel = channel
        self.shutdownPatience = shutdownPatience
        self.executor = executor
    }

    /// Does something for as long as the connection is open, and has it notice a shutdown meanwhile.
    func whileOpen(_ body: () async -> Void) async {
        await Self.$current.withValue(self) {
            await withGracefulShutdownHandler {
                await body()
            } onGracefulShutdown: {
                self.change { $0.isShuttingDown = true }
            }
        }
    }

    /// Reads from the current connection; once the server shuts down, it is closed where that takes too long.
    static func reading<Value>(_ read: () async throws -> Value) async rethrows -> Value {
        guard let connection = Self.current else { return try await read() }
        connection.change { $0.isReading = true }
        defer { connection.change { $0.isReading = false } }
        return try await read()
    }

    private func change(_ change: (inout State) -> Void) {
        self.state.withLock { state in
            change(&state)
            if state.isReading, state.isShuttingDown {
                guard state.close == nil else { return }
                state.close = self.channel.eventLoop.scheduleTask(in: self.shutdownPatience) { [channel] in
                    channel.close(promise: nil)
                }
            } else {
                state.close?.cancel()
                state.close = nil
            }
        }
    }
}
