import Controller
import GitSource
import Logging
import ManifestYAML
import Planning
import Schema
import TestSupport
import Testing

/// A reconciler on a real repository, a runtime that only pretends, and clocks that stand still.
final class ControllerSetup: Sendable {
    let repository: TemporaryRepository
    let runtime: FakeRuntime
    let probe = FakeProbe()
    let artifacts = FakeArtifacts()
    let store: MemoryControlStore
    let clock = ManualClock()
    let wallClock = ManualWallClock()
    /// Measures how long loads take; apart from ``clock``, since waits and loads run side by side.
    let loadClock = ManualClock()
    let reconciler: Reconciler

    /// Takes over what an earlier setup left, as a restart would; the runtime starts empty.
    /// With `waitsAreOver`, sleeping takes no time; else the test moves ``clock``. With `other`, the two repositories are
    /// sources side by side.
    init(
        restarting earlier: ControllerSetup? = nil,
        ref: String = "main",
        beside other: TemporaryRepository? = nil,
        memoryBudget: Int64? = nil,
        lastEnd: LastEnd = .crashed,
        policy: SyncPolicy = SyncPolicy(),
        signatures demand: SignatureGuard.Demand = SignatureGuard.Demand(),
        waitsAreOver: Bool = false
    ) throws {
        self.repository = try earlier?.repository ?? TemporaryRepository()
        self.store = earlier?.store ?? MemoryControlStore()
        self.runtime = FakeRuntime()
        let repository = try GitRepository(path: self.repository.path)
        let (own, path) = (self.repository, self.repository.path)
        let sources = try other.map { other in
            SourceSet(
                try [("main", own), ("other", other)].map { name, repository in
                    SourceSet.Member(
                        name: name,
                        repository: try GitRepository(path: repository.path),
                        location: repository.path,
                        ref: ref,
                        path: ""
                    )
                }
            )
        }
        let place = DesiredStateReader.Place(
            location: path,
            ref: sources == nil ? ref : "",
            path: sources == nil ? "" : SourceSet.followedFolders
        )
        let source = DesiredStateReader(
            repository: sources ?? repository,
            place: place,
            namespace: "default",
            policy: policy,
            signatures: SignatureGuard(
                repository: repository,
                verifiers: ["": GitCommitVerifier(repository)],
                demand: demand
            )
        )
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.reconciler = Reconciler(
            ports: Reconciler.Ports(
                source: source,
                store: self.store,
                runtime: self.runtime,
                engines: FakeEngines(),
                executor: PlanExecutor(
                    runtime: self.runtime,
                    artifacts: self.artifacts,
                    probe: self.probe,
                    store: self.store,
                    clock: self.loadClock
                ),
                wallClock: self.wallClock,
                clock: waitsAreOver ? SleepingClock(moving: self.wallClock) : self.clock,
                jitter: { 1 }
            ),
            version: "test",
            memoryBudget: memoryBudget,
            lastEnd: lastEnd,
            logger: logger
        )
    }

    /// Runs the loop for as long as the body takes.
    func run(_ body: @escaping @Sendable (ControllerSetup) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.reconciler.run() }
            do {
                try await body(self)
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    /// Returns when an event with this reason, and these words in its message, is stored.
    @discardableResult
    func event(_ reason: String, _ words: String..., after: Int64 = 0) async throws -> Event {
        let stream = await self.reconciler.eventStream()
        let matches: @Sendable (Event) -> Bool = { event in
            event.sequence > after && event.reason == reason && words.allSatisfy { event.message.contains($0) }
        }
        if let event = try self.store.events(EventQuery(after: after, limit: 10_000)).first(where: matches) {
            return event
        }
        for await event in stream where matches(event) { return event }
        throw MartletError("EventMissing", "the loop ended before '\(reason)' came")
    }

    /// The number of the newest event: what to look after.
    func newestEvent() throws -> Int64 {
        try self.store.events(EventQuery(limit: 1)).last?.sequence ?? 0
    }

    /// Returns when the loop has nothing left to do.
    func settled() async throws {
        while !(try await self.reconciler.plan().steps.isEmpty) { await Task.yield() }
    }

    /// What is written down about the variant of endpoint `desk`.
    func desk() throws -> VariantFacts {
        try #require(try self.store.facts().variants[ControllerSetup.desk])
    }

    static let desk = VariantID(namespace: "default", endpoint: "desk")
    static let someone = OperatorRequest(actor: Actor("dana"), origin: "test", reason: "because")

    /// Commits an endpoint `desk` on a recorded model whose file says `weights`.
    @discardableResult
    func commitDesk(
        weights: String = "one",
        replicas: String? = nil,
        extra: String = "",
        lazy: Bool = false
    ) throws -> ObjectID {
        try self.repository.write("models/desk.jsonl", weights)
        var manifest = ControllerSetup.manifest
        if let replicas { manifest.replace("anonymous: true}", with: "anonymous: true}, replicas: \(replicas)") }
        manifest += extra
        if lazy { manifest.replace("engine: replay", with: "engine: replay, load: lazy") }
        try self.repository.write("desk.yaml", manifest)
        return try self.repository.commit("weights \(weights)")
    }

    static let manifest = """
        apiVersion: martlet.dev/v1
        kind: Model
        metadata: {name: desk}
        spec: {engine: replay, source: {uri: models/desk.jsonl}}
        ---
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: desk}
        spec: {serve: {model: desk}, access: {anonymous: true}}

        """

    static let second = """
        ---
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: second}
        spec: {serve: {model: desk}, access: {anonymous: true}}

        """
}
