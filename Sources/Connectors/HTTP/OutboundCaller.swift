internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOPosix
package import Planning
package import Schema

/// Asks servers elsewhere for chains: only declared hosts, only at addresses that the rule lets through, JSON both ways.
package struct OutboundCaller: HTTPCaller {
    /// Reads a secret that a manifest only names. Throws `SecretMissing`, `SecretExposed`.
    package typealias Secret = @Sendable (SecretReference) throws -> [UInt8]

    /// How much goes over the wire at most, in bytes.
    package struct Limits: Sendable {
        package var sent: Int
        package var received: Int

        package init(sent: Int = 1 << 20, received: Int = 1 << 20) {
            self.sent = sent
            self.received = received
        }
    }

    /// The most addresses of one host that are tried.
    private static let attempts = 4

    private let secret: Secret
    private let resolver: HostResolver
    private let limits: Limits
    private let clock: any Clock<Duration>
    private let clients = OutboundClients.shared

    package init(
        secret: @escaping Secret,
        resolver: HostResolver = .system,
        limits: Limits = Limits(),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.secret = secret
        self.resolver = resolver
        self.limits = limits
        self.clock = clock
    }

    package func call(_ request: OutboundRequest) async throws -> OutboundAnswer {
        let url = try OutboundURL(request.url, query: request.query)
        guard request.allowedHosts.contains(where: { HostPattern($0).matches(url.bareHost) }) else {
            let hosts = request.allowedHosts.joined(separator: ", ")
            throw OutboundFailure(.refused, "\(url.origin) is not among the hosts that the manifest declares: \(hosts)")
        }
        let message = try OutboundMessage(request, to: url, limit: self.limits.sent, secret: self.secret)
        do {
            return try await withDeadline(request.timeout, clock: self.clock) {
                let addresses = try await self.judgedAddresses(of: url, allowsLocal: request.allowsPrivateAddresses)
                return try await self.send(message, to: addresses, timeout: request.timeout)
            }
        } catch is DeadlineExceeded {
            throw Self.timeout(of: url, after: request.timeout)
        }
    }

    /// The addresses to connect to. One that the rule is against spoils all: a name that leads to two places may lead
    /// to the other one next time.
    private func judgedAddresses(of url: OutboundURL, allowsLocal: Bool) async throws -> [IPAddress] {
        let addresses: [IPAddress]
        switch url.host {
        case .address(let address): addresses = [address]
        case .name(let name): addresses = try await self.resolver.addresses(name)
        }
        for address in addresses {
            let place = "\(url.origin) is at \(address), which is "
            switch AddressRule.verdict(on: address) {
            case .open: continue
            case .local where allowsLocal: continue
            case .local(let words):
                throw OutboundFailure(
                    .refused,
                    place + "\(words): say 'allowPrivate: true' beside the step's url if that is meant"
                )
            case .never(let words): throw OutboundFailure(.refused, place + "\(words): chains never call that")
            }
        }
        guard !addresses.isEmpty else { throw OutboundFailure(.unavailable, "\(url.origin) has no address") }
        return Array(addresses.prefix(Self.attempts))
    }

    /// Sends the message to the first address that can be reached.
    private func send(
        _ message: OutboundMessage,
        to addresses: [IPAddress],
        timeout: Duration
    ) async throws -> OutboundAnswer {
        var failure: any Error = CancellationError()
        for address in addresses {
            do {
                let target = OutboundClients.Target(host: message.url.bareHost, address: address)
                return try await self.clients.with(target) { client in
                    try await self.send(message, by: client, timeout: timeout)
                }
            } catch let error as NotConnected {
                failure = message.failure(error.cause)
            }
        }
        throw failure
    }

    private func send(
        _ message: OutboundMessage,
        by client: HTTPClient,
        timeout: Duration
    ) async throws -> OutboundAnswer {
        let request = try message.request()
        let collected = ResponseAccumulator(request: request, maxBodySize: self.limits.received)
        let task = client.execute(request: request, delegate: collected, deadline: .now() + TimeAmount(timeout))
        do {
            let response = try await withTaskCancellationHandler {
                try await task.get()
            } onCancel: {
                task.cancel()
            }
            return try message.answer(response)
        } catch let failure as OutboundFailure {
            throw failure
        } catch {
            if Task.isCancelled { throw CancellationError() }
            if error as? HTTPClientError == .deadlineExceeded { throw Self.timeout(of: message.url, after: timeout) }
            if error is ResponseAccumulator.ResponseTooBigError {
                throw OutboundFailure(
                    .invalidAnswer,
                    "\(message.url.origin) answered with more than \(self.limits.received) bytes"
                )
            }
            if NotConnected.isCause(error) { throw NotConnected(cause: error) }
            throw message.failure(error)
        }
    }

    private static func timeout(of url: OutboundURL, after timeout: Duration) -> OutboundFailure {
        OutboundFailure(
            .timedOut,
            "\(url.origin) did not answer within \(ManifestDuration(milliseconds: Int64(timeout / .milliseconds(1))))"
        )
    }

    /// No connection came about, so that nothing was sent.
    private struct NotConnected: Error {
        var cause: any Error

        static func isCause(_ error: any Error) -> Bool {
            if let error = error as? HTTPClientError { return error == .connectTimeout }
            if let error = error as? IOError {
                return [ECONNREFUSED, ENETUNREACH, EHOSTUNREACH].contains(error.errnoCode)
            }
            return error is NIOConnectionError
        }
    }
}
