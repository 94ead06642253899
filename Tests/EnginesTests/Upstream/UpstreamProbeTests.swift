internal import Planning
internal import Schema
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Engines

/// Upstreams that are asked how they are, on a clock that is moved by hand.
@Suite(.timeLimit(.minutes(2)))
struct UpstreamProbeTests {
    private static let probe = UpstreamProbe(path: "/models", timeout: .seconds(100))

    private static func endpoint(_ url: String, timeout: ManifestDuration = .seconds(100)) throws -> UpstreamEndpoint {
        let member = UpstreamSet.Member(
            url: url,
            model: "there",
            apiKey: SecretReference(fromEnv: "KEY"),
            timeout: timeout
        )
        return try UpstreamEndpoint(member) { _ in Array("sk-77".utf8) }
    }

    private static func pool(_ urls: [String], on clock: ManualClock) throws -> UpstreamPool {
        UpstreamPool(
            UpstreamSet(members: urls.map { UpstreamSet.Member(url: $0, model: "there", retries: 0) }),
            endpoints: try urls.map { try Self.endpoint($0) },
            probe: Self.probe,
            clock: clock,
            random: { 0 }
        )
    }

    static let answers: [(status: Int, health: UpstreamBalance.Health)] = [
        (200, .well), (204, .well), (307, .untold), (401, .untold), (404, .untold), (405, .untold), (400, .ill),
        (429, .ill), (500, .ill), (503, .ill),
    ]

    @Test("A status tells how a server is", arguments: answers)
    func reads(status: Int, health: UpstreamBalance.Health) async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(status: status, "")
        } _: { server in
            let found = try await Self.probe.ask(try Self.endpoint(server.url))
            #expect(found.0 == health)
            #expect((found.1 != nil) == (health == .ill))
            let asked = try #require(server.requests.first)
            #expect((asked.method, asked.path) == ("GET", "/v1/models"))
            #expect(asked.headers["authorization"] == "Bearer sk-77")
        }
    }

    @Test func silenceAndClosedDoorsAreAway() async throws {
        try await ScriptedUpstream.run { _, connection in
            await connection.waitForHangUp()
        } _: { server in
            let silent = try Self.endpoint(server.url, timeout: .seconds(1))
            let (health, failure) = try await Self.probe.ask(silent)
            #expect(health == .silent)
            #expect(failure?.kind == .timedOut)
        }
        // A port that nobody is given by the system.
        let (health, failure) = try await Self.probe.ask(try Self.endpoint("http://127.0.0.1:1/v1"))
        #expect(health == .away)
        #expect(failure?.message.contains("cannot be reached") == true)
    }

    /// What the watch tells: of each upstream, whether it is out.
    private static func watching(
        _ pool: UpstreamPool,
        _ body: (_ told: () async -> [Bool]?) async throws -> Void
    ) async throws {
        let (changes, change) = AsyncStream<[Bool]>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.watch { change.yield(pool.observations.map(\.isCoolingDown)) } }
            try await body { await changes.first { _ in true } }
            // The watch ends, and with it the group.
            pool.close()
            try await group.waitForAll()
        }
    }

    @Test func aServerThatComesBackCostsNoRequest() async throws {
        let isUp = Mutex(false)
        try await ScriptedUpstream.run { _, connection in
            if isUp.withLock({ $0 }) {
                try await connection.answer("{}")
            } else {
                try await connection.answer(status: 503, "{}")
            }
        } _: { first in
            try await ScriptedUpstream.run { _, connection in
                try await connection.answer("{}")
            } _: { second in
                let clock = ManualClock()
                let pool = try Self.pool([first.url, second.url], on: clock)
                func ask() async throws -> String { try await pool.ask { $0.url } }
                try await Self.watching(pool) { told in
                    // Found out before anybody asked.
                    #expect(await told() == [true, false])
                    #expect(pool.observations[0].lastFailure?.contains("answered 503") == true)
                    await clock.waitForSleep(of: .seconds(1))
                    let whileAway = try await ask()
                    #expect(whileAway == second.url)
                    clock.advance(by: .seconds(1))
                    await clock.waitForSleep(of: .seconds(2))
                    isUp.withLock { $0 = true }
                    let untilProbed = try await ask()
                    #expect(untilProbed == second.url)
                    clock.advance(by: .seconds(2))
                    #expect(await told() == [false, false])
                    let afterwards = try await ask()
                    #expect(afterwards == first.url)
                }
                #expect(pool.observations.map(\.requests) == [1, 2])
                #expect(pool.observations.map(\.failures) == [[:], [:]])
                #expect(first.requests.count == 3)
                // One look at a server in good health, and no more.
                #expect(second.requests.count == 1)
            }
        }
    }

    @Test func withoutAPathForProbesARequestTries() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(status: 404, "{}")
        } _: { server in
            let clock = ManualClock()
            let pool = try Self.pool([server.url, server.url], on: clock)
            try await Self.watching(pool) { told in
                // The watch has begun with its first probes.
                while server.requests.isEmpty { await Task.yield() }
                for _ in 0..<3 {
                    _ = try await pool.ask { endpoint in
                        guard pool.observations[0].requests > pool.observations[1].requests else { return "" }
                        throw UpstreamFailure(.unavailable, "broken")
                    }
                }
                #expect(await told() == [true, false])
                while pool.observations[0].requests == 3 {
                    clock.advance(by: .seconds(1))
                    await Task.yield()
                    _ = try await pool.ask { $0.url }
                }
                #expect(await told() == [false, false])
            }
        }
    }

    @Test func theWatchEndsWithItsTask() async throws {
        let clock = ManualClock()
        let pool = try Self.pool(["http://127.0.0.1:1/v1"], on: clock)
        let watch = Task { await pool.watch {} }
        await clock.waitForSleepers()
        watch.cancel()
        await watch.value
    }
}
