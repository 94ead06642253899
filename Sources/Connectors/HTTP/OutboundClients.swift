internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// HTTP clients with their connections, each bound to one host at one address that was judged: a client never looks a
/// name up by itself, so that nobody can have it connect elsewhere than where the judgement was about.
final class OutboundClients: Sendable {
    /// A host at an address of its.
    struct Target: Sendable, Hashable {
        var host: String
        var address: IPAddress
    }

    private struct Entry {
        var client: HTTPClient
        var users: Int
        /// When it was used last, by ``State/uses``.
        var use: UInt64
    }

    private struct State {
        var entries: [Target: Entry] = [:]
        var uses: UInt64 = 0
    }

    /// They live as long as the process, as their connections do.
    static let shared = OutboundClients()

    /// The most clients that are kept while nobody uses them.
    private static let idleLimit = 64

    private let state = Mutex(State())

    /// Runs `body` with the target's client.
    func with<Value>(_ target: Target, _ body: (HTTPClient) async throws -> Value) async throws -> Value {
        let client = self.state.withLock { state in
            state.uses += 1
            var entry = state.entries[target] ?? Entry(client: Self.makeClient(target), users: 0, use: 0)
            entry.users += 1
            entry.use = state.uses
            state.entries[target] = entry
            return entry.client
        }
        defer { self.giveBack(target) }
        return try await body(client)
    }

    private func giveBack(_ target: Target) {
        let surplus = self.state.withLock { state -> HTTPClient? in
            state.entries[target]?.users -= 1
            let idle = state.entries.filter { $0.value.users == 0 }
            guard idle.count > Self.idleLimit, let oldest = idle.min(by: { $0.value.use < $1.value.use }) else {
                return nil
            }
            return state.entries.removeValue(forKey: oldest.key)?.client
        }
        // Nobody waits for its connections to close.
        surplus?.shutdown { _ in }
    }

    /// Certificates are verified for the host's name, and no redirect is followed: neither a secret nor a caller's words
    /// go anywhere but where the manifest says.
    private static func makeClient(_ target: Target) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10))
        )
        configuration.dnsOverride = [target.host: "\(target.address)"]
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(15)
        configuration.tracing.tracer = nil
        return HTTPClient(
            eventLoopGroupProvider: .shared(.singletonMultiThreadedEventLoopGroup),
            configuration: configuration
        )
    }
}
