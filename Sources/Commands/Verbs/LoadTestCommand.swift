internal import ArgumentParser
internal import Schema

/// `martlet loadtest`: how an endpoint does under load.
struct LoadTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loadtest",
        abstract: "Put an endpoint under load, and show its rate, its latencies and its errors.",
        discussion: """
            At a constant rate, latency is counted from the moment that a request was due, so that a server that falls \
            behind cannot hide it. Without --rate, each of --concurrency clients sends its next request when it has \
            its answer. Ctrl-C ends early, with what is done.

            Exit codes: 0 everything that was due was sent and went well; 1 something was not; 2 there is nothing to \
            test.
            """
    )

    @Argument(help: "The endpoint: desk, or shop/desk; with --path, only a name for the summary.")
    var endpoint: String?

    @OptionGroup var what: LoadRequestOptions
    @OptionGroup var load: LoadOptions
    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        guard let endpoint = self.endpoint else {
            guard self.what.path != nil else { throw ValidationError("name the endpoint, or give --path") }
            return
        }
        _ = try ResourceName.identity(.endpoint, endpoint, namespace: self.namespace.namespace)
    }

    func run() async throws {
        let environment = CommandEnvironment.current
        let options = try self.load.options()
        let request = try self.what.request(
            to: self.target(),
            endpoint: self.qualifiedEndpoint,
            agent: "martlet/\(environment.version)"
        )
        let generator = LoadGenerator(request: request, options: options)
        let summary = LoadSummary(
            try await Self.run(generator, in: environment),
            of: request,
            endpoint: self.qualifiedEndpoint,
            options: options
        )
        try self.controller.show(summary) { _ in
            summary.text()
        } names: {
            self.qualifiedEndpoint.map { [$0] } ?? []
        }
        guard summary.isSuccess else { throw ExitCode(1) }
    }

    /// The endpoint as requests name it.
    private var qualifiedEndpoint: String? {
        guard let endpoint = self.endpoint, !endpoint.contains("/"), self.namespace.namespace != "default" else {
            return self.endpoint
        }
        return "\(self.namespace.namespace)/\(endpoint)"
    }

    private func target() throws -> LoadTarget {
        if let address = self.what.dataPlane { return try LoadTarget(address) }
        return try LoadTarget(besideSocket: self.controller.socket.path())
    }

    /// Runs to the end, or until somebody ends it from outside.
    private static func run(
        _ generator: LoadGenerator,
        in environment: CommandEnvironment
    ) async throws -> LoadDriver.Result {
        let show = environment.showProgress
        defer { show?(nil) }
        return try await withThrowingTaskGroup(of: LoadDriver.Result?.self) { group in
            group.addTask { try await generator.run { show?($0.line) } }
            group.addTask {
                await environment.untilInterrupted()
                return nil
            }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let result = ended { return result }
                group.cancelAll()
            }
            throw CancellationError()
        }
    }
}
