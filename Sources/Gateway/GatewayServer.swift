internal import FoundationEssentials
internal import Glibc
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Schema
internal import ServiceLifecycle

/// Where a server listens.
package enum ListenAddress: Sendable, Hashable {
    /// Port 0 takes any free one.
    case tcp(host: String, port: Int)
    /// The parent folder must be there and belong to nobody else.
    case unixSocket(path: String)
}

/// One listener of the gateway. Graceful shutdown closes the door and lets answers under way finish.
package struct GatewayServer: Service {
    /// Runs once the server listens, with its port where it has one.
    package typealias Started = @Sendable (_ port: Int?) async -> Void

    private let address: ListenAddress
    private let application: Application<RouterResponder<GatewayContext>>

    init(
        _ router: Router<GatewayContext>,
        at address: ListenAddress,
        idleTimeout: Duration,
        logger: Logger,
        onStarted: @escaping Started
    ) {
        self.address = address
        let bind: BindAddress =
            switch address {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .unixSocket(let path): .unixDomainSocket(path: path)
            }
        self.application = Application(
            router: router,
            server: .noticingHangUps(idleTimeout: TimeAmount(idleTimeout)),
            configuration: ApplicationConfiguration(address: bind, serverName: "martlet"),
            onServerRunning: { channel in
                if case .unixSocket(let path) = address { SocketFile.restrict(path, logger: logger) }
                await onStarted(channel.localAddress?.port)
            },
            logger: logger
        )
    }

    /// Listens until graceful shutdown or cancellation. Throws `CannotListen` when the address cannot be had.
    package func run() async throws {
        switch self.address {
        case .tcp(let host, let port):
            do {
                try await self.application.run()
            } catch let error as IOError {
                throw Self.cannotListen(host, port, String(cString: strerror(error.errnoCode)))
            } catch let error as SocketAddressError {
                throw Self.cannotListen(host, port, "\(error)")
            }
        case .unixSocket(let path):
            try SocketFile.check(path)
            defer { SocketFile.remove(path) }
            while try await self.runUntilRemoved(path) {}
        }
    }

    /// Listens until it is told to stop, or until somebody removes the socket's file, through which alone it can be
    /// reached; true in that case.
    private func runUntilRemoved(_ path: String) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask {
                try await self.application.run()
                return false
            }
            group.addTask {
                // A server that shuts down takes the file away itself.
                await cancelWhenGracefulShutdown { await SocketFile.waitForRemoval(path) ? true : nil }
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let wasRemoved = outcome { return wasRemoved }
            }
            return false
        }
    }

    private static func cannotListen(_ host: String, _ port: Int, _ reason: String) -> MartletError {
        let host = host.contains(":") ? "[\(host)]" : host
        return MartletError(
            "CannotListen",
            "cannot listen on \(host):\(port): \(reason); stop what listens there, or choose another address with "
                + "--listen, --metrics-listen or --hooks-listen"
        )
    }
}
