internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// The connection that a request comes in by, known to all that works for the request.
struct OpenConnection: Sendable {
    /// Nil where a request comes in by none, as in tests of routes alone.
    @TaskLocal static var current: OpenConnection?

    let channel: any Channel
    /// How much longer a client may take to send its request once the server shuts down.
    let shutdownPatience: TimeAmount

    /// Reads from the current connection; once the server shuts down, it is closed where that takes too long.
    static func reading<Value>(_ read: () async throws -> Value) async rethrows -> Value {
        guard let connection = Self.current else { return try await read() }
        let timer = Timer()
        defer { timer.stop() }
        return try await withGracefulShutdownHandler {
            try await read()
        } onGracefulShutdown: {
            timer.start(closing: connection.channel, in: connection.shutdownPatience)
        }
    }

    /// Closes a connection after a while, unless it is stopped.
    private final class Timer: Sendable {
        private enum State {
            case idle
            case started(Scheduled<Void>)
            case stopped
        }

        private let state = Mutex(State.idle)

        func start(closing channel: any Channel, in time: TimeAmount) {
            self.state.withLock { state in
                guard case .idle = state else { return }
                state = .started(channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) })
            }
        }

        func stop() {
            self.state.withLock { state in
                if case .started(let close) = state { close.cancel() }
                state = .stopped
            }
        }
    }
}
