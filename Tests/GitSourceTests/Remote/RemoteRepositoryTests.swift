import Foundation
import GitSource
import Planning
import Schema
import Synchronization
import TestSupport
import Testing

/// What a remote repository does with good fetches and bad ones, on a clock that tests move.
struct RemoteRepositoryTests {
    /// Fetches as a test says, and counts.
    final class ScriptedFetches: Sendable {
        let requests = Mutex<[FetchRequest]>([])
        let error = Mutex<MartletError?>(nil)
        let answer = Mutex(FetchAnswer(commit: String(repeating: "a", count: 40)))

        func perform(_ request: FetchRequest) async throws -> FetchAnswer {
            self.requests.withLock { $0.append(request) }
            if let error = self.error.withLock({ $0 }) { throw error }
            return self.answer.withLock { $0 }
        }
    }

    struct StoppedClock: WallClock {
        func now() -> Timestamp { Timestamp(milliseconds: 42_000) }
    }

    static func repository(
        _ fetches: ScriptedFetches,
        _ clock: ManualClock,
        options change: (inout RemoteOptions) -> Void = { _ in }
    ) throws -> RemoteRepository {
        var options = RemoteOptions(url: try RemoteURL("https://git.example.com/models.git"), ref: "main")
        change(&options)
        return try RemoteRepository(
            options,
            clonesIn: FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path(),
            surroundings: RemoteRepository.Surroundings(
                fetcher: { try await fetches.perform($0) },
                secret: { "value of \($0.fromEnv ?? "")" },
                clock: clock,
                wallClock: StoppedClock(),
                jitter: { 1 }
            )
        )
    }

    /// Runs a repository for as long as a body takes.
    static func running(_ repository: RemoteRepository, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await repository.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    @Test func successIsDated() async throws {
        let (fetches, clock) = (ScriptedFetches(), ManualClock())
        let repository = try Self.repository(fetches, clock)
        #expect(repository.freshness?.fetchedAt == nil)
        try await Self.running(repository) { try await repository.refresh() }
        #expect(repository.freshness?.fetchedAt == Timestamp(milliseconds: 42_000))
        #expect(repository.freshness?.failure == nil)
    }

    @Test func failureIsKeptUntilItIsOver() async throws {
        let (fetches, clock) = (ScriptedFetches(), ManualClock())
        let repository = try Self.repository(fetches, clock)
        let changes = repository.refChanges()
        fetches.error.withLock { $0 = MartletError("RemoteFailing", "not now") }
        try await Self.running(repository) {
            await #expect(throws: MartletError.self) { try await repository.refresh() }
            var iterator = changes.makeAsyncIterator()
            await iterator.next()
            #expect(repository.freshness?.failure?.code == "RemoteFailing")
            expectError("RemoteFailing", mentioning: "not now") { try repository.resolve("main") }
            fetches.error.withLock { $0 = nil }
            try await repository.refresh()
            await iterator.next()
            #expect(repository.freshness?.failure == nil)
        }
    }

    @Test func pollsAndBacksOff() async throws {
        let (fetches, clock) = (ScriptedFetches(), ManualClock())
        let repository = try Self.repository(fetches, clock)
        fetches.error.withLock { $0 = MartletError("RemoteFailing", "not now") }
        try await Self.running(repository) {
            // A quarter is drawn out by jitter, the doubling ends at five minutes.
            for pause in [37.5, 75, 150, 300, 375, 375] {
                await clock.waitForSleep(of: .seconds(pause))
                clock.advance(by: .seconds(pause))
            }
            await clock.waitForSleep(of: .seconds(375))
            fetches.error.withLock { $0 = nil }
            clock.advance(by: .seconds(375))
            await clock.waitForSleep(of: .seconds(30))
        }
        #expect(fetches.requests.withLock { $0.count } == 8)
    }

    @Test func secretsAreLookedUpForEachFetch() async throws {
        let (fetches, clock) = (ScriptedFetches(), ManualClock())
        let repository = try Self.repository(fetches, clock) { options in
            options.credentials = RemoteCredentials(username: "ada", password: SecretReference(fromEnv: "TOKEN"))
        }
        try await Self.running(repository) { try await repository.refresh() }
        let first = fetches.requests.withLock { $0.first }
        let request = try #require(first)
        #expect(request.username == "ada" && request.password == "value of TOKEN")
        #expect(request.address == "https://git.example.com/models.git")
    }

    @Test(
        arguments: [
            (50, 1, [FetchRequest.Task.fetch]), (51, 1, [.fetch, .repack]), (2, 257 << 20, [.fetch, .repack]),
            (2, 255 << 20, [.fetch]),
        ] as [(Int, Int64, [FetchRequest.Task])]
    )
    func cloneThatGrewIsRepacked(_ packs: Int, _ bytes: Int64, _ tasks: [FetchRequest.Task]) async throws {
        let (fetches, clock) = (ScriptedFetches(), ManualClock())
        fetches.answer.withLock { ($0.packs, $0.bytes) = (packs, bytes) }
        let repository = try Self.repository(fetches, clock)
        try await Self.running(repository) { await clock.waitForSleep(of: .seconds(30)) }
        #expect(fetches.requests.withLock { $0.map(\.task) } == tasks)
    }

    @Test func newsIsReported() async throws {
        let (fetches, clock) = (ScriptedFetches(), ManualClock())
        let repository = try Self.repository(fetches, clock)
        let changes = repository.refChanges()
        try await Self.running(repository) {
            var iterator = changes.makeAsyncIterator()
            try await repository.refresh()
            await iterator.next()
            fetches.answer.withLock { $0.commit = String(repeating: "b", count: 40) }
            try await repository.refresh()
            await iterator.next()
        }
        #expect(repository.freshness?.failure == nil)
    }

    @Test func nobodyWaitsForTheDead() async throws {
        let (fetches, clock) = (ScriptedFetches(), ManualClock())
        let repository = try Self.repository(fetches, clock)
        try await Self.running(repository) { try await repository.refresh() }
        let error = await #expect(throws: MartletError.self) { try await repository.refresh() }
        #expect(error?.message.contains("shutting down") == true)
    }

    @Test func unreadRepositoryIsWaitedFor() throws {
        let repository = try Self.repository(ScriptedFetches(), ManualClock())
        expectError("NotFetchedYet", mentioning: "git.example.com") { try repository.resolve("main") }
    }

    @Test(arguments: [
        ("http://git.example.com/models.git", "--insecure-http"), ("ssh://git@host/models.git", "takes a key"),
        ("file:///srv/models.git", "takes none"),
    ])
    func contradictionsAreRefused(_ address: String, _ words: String) throws {
        let url = try RemoteURL(address)
        expectError("BadRemote", mentioning: words) {
            try Self.repository(ScriptedFetches(), ManualClock()) { options in
                options.url = url
                options.credentials.password = SecretReference(fromEnv: "TOKEN")
            }
        }
    }
}
