internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Schema

/// Puts load on one address and measures what comes back.
///
/// It speaks HTTP over bare connections on one event loop: on a core of its own it can be busier than what it measures.
struct LoadGenerator: Sendable {
    /// How much, how long, and what counts as too slow.
    struct Options: Sendable {
        var pace: LoadSchedule.Pace
        var end: LoadSchedule.End
        var warmUp: ManifestDuration
        /// The most connections at once.
        var concurrency: Int
        /// How long an answer may take from the moment that its request was sent.
        var timeout: ManifestDuration
        /// A file of certificate authorities; nil: those of the system.
        var caFile: String?
    }

    let request: LoadRequest
    let options: Options

    /// Runs until the schedule's end, or until the task is cancelled, which ends it with what is done. Throws
    /// `DataPlaneUnreachable` when there is nobody to talk to.
    func run(progress: @escaping @Sendable (LoadProgress) -> Void) async throws -> LoadDriver.Result {
        let tls = try self.tlsContext()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: LoadDriver.Result.self)
        let driver = try await loop.submit {
            let driver = LoadDriver(self.request, self.options, tls: tls, promise: promise, progress: progress)
            driver.start()
            return NIOLoopBound(driver, eventLoop: loop)
        }.get()
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                loop.execute { driver.value.interrupt() }
            }
        } catch {
            throw MartletError(
                "DataPlaneUnreachable",
                "nothing answers at \(self.request.target.address): \(LoadFailure.word(for: error)); start a controller "
                    + "with 'martlet run', or give the address with --data-plane",
                disposition: .retryable
            )
        }
    }

    private func tlsContext() throws -> NIOSSLContext? {
        guard self.request.target.usesTLS else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = self.options.caFile { configuration.trustRoots = .file(file) }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw MartletError("CertificatesUnreadable", "the certificate authorities cannot be read", cause: error)
        }
    }
}
