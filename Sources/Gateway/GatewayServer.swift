internal import FoundationEssentials
internal import Glibc
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Schema
internal import ServiceLifecycle
internal import Synchronization

/// Where a server listens.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// Port 0 takes any free one.
    case tcp(host: String, port: Int)
    /// The parent folder must be there and belong to nobody else.
    case unixSocket(path: String)

    package var description: String {
        switch self {
        case .tcp(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unixSocket(let path): path
        }
    }
}

/// One listener of the gateway. Graceful shutdown closes the door and lets answers under way finish.
package struct GatewayServer: Service {
    /// Runs once the server listens, with its port where it has one.
    package typealias Started = @Sendable (_ port: Int?) async -> Void

    private let address: ListenAddress
    private let logger: Logger
    private let listening = Flag()
    private let stopping = Flag()
    private let application: Application<RouterResponder<GatewayContext>>

    init(
        _ router: Router<GatewayContext>,
        at address: ListenAddress,
        limits: ConnectionLimits = ConnectionLimits(),
        connections: OpenConnections? = nil,
        shutdownPatience: Duration = .seconds(5),
        servesOnEventLoop: Bool = false,
        logger: Logger,
        onStarted: @escaping Started
    ) {
        self.address = address
        self.logger = logger
        let bind: BindAddress =
            switch address {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .unixSocket(let path): .unixDomainSocket(path: path)
            }
        var listenerLogger = logger
        listenerLogger.handler = ListenerLog(logger.handler) { [stopping] in stopping.isSet.withLock { $0 } }
        self.application = Application(
            router: router,
            server: .noticingHangUps(
                limits,
                connections: connections,
                shutdownPatience: TimeAmount(shutdownPatience),
                servesOnEventLoop: servesOnEventLoop,
                logger: logger
            ),
            configuration: ApplicationConfiguration(address: bind, serverName: "martlet"),
            onServerRunning: { [listening] channel in
                if case .unixSocket(let path) = address { SocketFile.restrict(path, logger: logger) }
                listening.isSet.withLock { $0 = true }
                await onStarted(channel.localAddress?.port)
            },
            logger: listenerLogger
        )
    }

    /// Listens until graceful shutdown or cancellation. Throws `CannotListen` when the address cannot be had.
    package func run() async throws {
        defer { self.noteCut() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await self.listen()
        } onCancelOrGracefulShutdown: {
            self.stopping.isSet.withLock { $0 = true }
        }
    }

    private func listen() async throws {
        do {
            switch self.address {
            case .tcp: try await self.application.run()
            case .unixSocket(let path):
                defer { SocketFile.remove(path) }
                guard try await self.runUntilRemoved(path) else { return }
                while await self.runAgain(path) {}
            }
        } catch let error as IOError {
            throw self.cannotListen(String(cString: strerror(error.errnoCode)))
        } catch let error as SocketAddressError {
            throw self.cannotListen("\(error)")
        }
    }

    /// Says so where this listener is what a shutdown has waited for until its time was over.
    private func noteCut() {
        guard Task.isShuttingDownGracefully, Task.isCancelled else { return }
        self.logger.warning(
            "the shutdown has taken too long: the requests still open here were cut off",
            metadata: ["address": "\(self.address)"]
        )
    }

    /// Makes the socket's folder where it is gone too, and listens again; false when that is to end.
    ///
    /// One listener that cannot be had any more is no reason to stop everything else.
    private func runAgain(_ path: String) async -> Bool {
        guard !Task.isShuttingDownGracefully, !Task.isCancelled else { return false }
        do {
            SocketFile.makeFolder(of: path)
            return try await self.runUntilRemoved(path)
        } catch {
            guard !Task.isShuttingDownGracefully, !Task.isCancelled else { return false }
            self.logger.error(
                "could not make the socket again; it is tried once more in a second",
                metadata: ["path": "\(path)", "error": "\(error)"]
            )
            await cancelWhenGracefulShutdown { try? await Task.sleep(for: .seconds(1)) }
            return true
        }
    }

    /// Listens until it is told to stop, or until somebody removes the socket's file, through which alone it can be
    /// reached; true in that case.
    private func runUntilRemoved(_ path: String) async throws -> Bool {
        try SocketFile.check(path)
        self.listening.isSet.withLock { $0 = false }
        return try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask {
                try await self.application.run()
                return false
            }
            group.addTask {
                // A server that shuts down takes the file away itself.
                await cancelWhenGracefulShutdown {
                    await SocketFile.waitForRemoval(path) { self.listening.isSet.withLock { $0 } } ? true : nil
                }
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let wasRemoved = outcome { return wasRemoved }
            }
            return false
        }
    }

    private func cannotListen(_ reason: String) -> MartletError {
        let remedy =
            switch self.address {
            case .tcp:
                "stop what listens there, or choose another address with --listen, --metrics-listen or --hooks-listen"
            case .unixSocket: "see to its folder, or choose another one with --state-dir"
            }
        return MartletError("CannotListen", "cannot listen on \(self.address): \(reason); \(remedy)")
    }
}

/// Whether something is so by now.
private final class Flag: Sendable {
    let isSet = Mutex(false)
}
