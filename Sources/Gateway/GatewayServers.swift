internal import Hummingbird
package import Logging

/// Makes the gateway's listeners. Each is a service of its own, so that the admin API outlives a busy data plane.
package struct GatewayServers: Sendable {
    /// Of each listener's clients.
    package var limits: ConnectionLimits
    /// How much longer a client may take to send a request once its listener shuts down; answers may take as long as
    /// they need.
    package var shutdownPatience: Duration
    package var logger: Logger
    /// Of every listener that is made here.
    package let connections = ListenerConnections()

    package init(
        limits: ConnectionLimits = ConnectionLimits(),
        shutdownPatience: Duration = .seconds(5),
        logger: Logger
    ) {
        self.limits = limits
        self.shutdownPatience = shutdownPatience
        self.logger = logger
    }

    /// The data plane: what endpoints are asked. Requests stay on their connections' threads, but for what takes long.
    package func dataPlane(
        _ plane: DataPlane,
        at address: ListenAddress = .tcp(host: "127.0.0.1", port: 8080),
        onStarted: @escaping GatewayServer.Started = { _ in }
    ) -> GatewayServer {
        self.server(plane.makeRouter(), named: "data", at: address, servesOnEventLoop: true, onStarted)
    }

    /// Metrics and health, which tell about tenants and so have a listener of their own.
    package func metrics(
        _ plane: MetricsPlane,
        at address: ListenAddress = .tcp(host: "127.0.0.1", port: 9090),
        onStarted: @escaping GatewayServer.Started = { _ in }
    ) -> GatewayServer {
        self.server(plane.makeRouter(), named: "metrics", at: address, onStarted)
    }

    /// Hooks of git servers, which come from outside and so have a listener of their own.
    package func hooks(
        _ plane: HookPlane,
        at address: ListenAddress,
        onStarted: @escaping GatewayServer.Started = { _ in }
    ) -> GatewayServer {
        self.server(plane.makeRouter(), named: "hooks", at: address, onStarted)
    }

    /// The admin API on a Unix socket in a folder with mode 0700.
    ///
    /// A socket that is already there is replaced: call this only while holding the lock on the state directory, which
    /// shows that nobody listens on it any more.
    package func admin(
        _ plane: AdminPlane,
        replacingSocketAt path: String,
        onStarted: @escaping GatewayServer.Started = { _ in }
    ) -> GatewayServer {
        self.server(plane.makeRouter(), named: "admin", at: .unixSocket(path: path), onStarted)
    }

    private func server(
        _ router: Router<GatewayContext>,
        named name: String,
        at address: ListenAddress,
        servesOnEventLoop: Bool = false,
        _ onStarted: @escaping GatewayServer.Started
    ) -> GatewayServer {
        // On every line of the listener, and so on the library's own that it listens.
        var logger = self.logger
        logger[metadataKey: "listener"] = "\(name)"
        return GatewayServer(
            router,
            at: address,
            limits: self.limits,
            connections: self.connections.add(name, limit: self.limits.connections, logger: logger),
            shutdownPatience: self.shutdownPatience,
            servesOnEventLoop: servesOnEventLoop,
            logger: logger,
            onStarted: onStarted
        )
    }
}
