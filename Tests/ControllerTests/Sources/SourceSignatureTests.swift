import Controller
import GitSource
import ManifestYAML
import Planning
import Schema
import TestSupport
import Testing

/// Who signed the commits of several sources: each has a history of its own, and holds up none of the others.
@Suite("Signatures of several sources")
struct SourceSignatureTests {
    private let shop: TemporaryRepository
    private let desk: TemporaryRepository
    private let ada: SigningKey

    init() throws {
        (self.shop, self.desk) = (try TemporaryRepository(), try TemporaryRepository())
        self.ada = try SigningKey(.ssh, address: "ada@example.org")
        try self.shop.commit("till.yaml", Self.prompt("till"), signedBy: self.ada)
        try self.desk.commit("desk.yaml", Self.prompt("desk"), signedBy: self.ada)
    }

    private var demand: SignatureGuard.Demand {
        get throws {
            SignatureGuard.Demand(keys: SigningKeys(allowedSigners: try self.ada.trusted()), paths: ["**"])
        }
    }

    private static func prompt(_ name: String) -> String {
        """
        apiVersion: martlet.dev/v1
        kind: PromptTemplate
        metadata: {name: \(name)}
        spec: {messages: [{role: user, content: hello}]}

        """
    }

    private static func policy(_ paths: String, _ rest: String = "allowedSigners: keys", name: String = "house")
        -> String
    {
        """
        apiVersion: martlet.dev/v1
        kind: Policy
        metadata: {name: \(name)}
        spec: {signatures: [{paths: \(paths), \(rest)}]}

        """
    }

    /// The sources, and who reads them.
    private struct Followed {
        let set: SourceSet
        let reader: DesiredStateReader

        @discardableResult
        func read(
            applied: ObjectID? = nil,
            mode: SyncPolicy.Mode = .automatic,
            _ request: SyncGate.Request? = nil
        ) async throws -> SourceReading {
            let gate = SyncGate(policy: SyncPolicy(mode: mode), applied: applied, request: request)
            return try await self.reader.read(gate, now: Timestamp(milliseconds: 0))
        }

        func standing(_ source: String) throws -> SourceSet.Standing { try #require(self.set.current[source]) }
    }

    /// A reader that has read nothing yet, as after a start.
    private func reader(
        _ demand: SignatureGuard.Demand = SignatureGuard.Demand(),
        wide: Set<String> = [],
        desk: TemporaryRepository? = nil
    ) throws -> Followed {
        let repositories = try [("desk", desk ?? self.desk), ("shop", self.shop)].map {
            ($0.0, try GitRepository(path: $0.1.path))
        }
        let set = SourceSet(
            repositories.map { name, repository in
                SourceSet.Member(name: name, repository: repository, location: name, ref: "main", path: "")
            }
        )
        let policies = PolicySources(wideNamespaces: wide)
        let verifiers = repositories.map { ($0.0, GitCommitVerifier($0.1) as any CommitVerifier) }
        let reader = DesiredStateReader(
            repository: set,
            place: DesiredStateReader.Place(location: "", ref: "", path: SourceSet.followedFolders),
            namespace: "default",
            policies: policies,
            signatures: SignatureGuard(
                repository: set,
                verifiers: Dictionary(uniqueKeysWithValues: verifiers),
                demand: demand,
                policies: policies
            ),
            // The desk's policies have a namespace of their own, which may be made a wide one.
            scopes: ["desk": .init(namespace: "rules"), "shop": .init(namespace: "default")]
        )
        return Followed(set: set, reader: reader)
    }

    @Test("An unsigned commit stays back alone, and its source moves again once it is signed")
    func unsigned() async throws {
        let reader = try self.reader(self.demand)
        let first = try #require(try await reader.read().desired)
        #expect(try reader.standing("shop").commit?.signer?.hasPrefix("ada@example.org (SHA256:") == true)

        let unsigned = try self.shop.commit("till.yaml", Self.prompt("kiosk"))
        let head = try self.desk.commit("more.yaml", Self.prompt("more"), signedBy: self.ada)
        let state = try #require(try await reader.read(applied: first.commit.id).desired)
        let before = try #require(CommitSet(id: first.commit.id)?.commits["shop"])
        #expect(CommitSet(id: state.commit.id)?.commits == ["desk": head, "shop": before])
        #expect(state.resources.keys.map(\.name).sorted() == ["desk", "more", "till"])
        let refused = try reader.standing("shop")
        #expect(refused.commit?.id == before)
        #expect(refused.failure?.code == "SignatureRejected")
        #expect((refused.failure?.cause as? RefusedCommit)?.id == unsigned)
        let message = try #require(refused.failure?.message)
        #expect(message.contains("commit \(unsigned.prefix(10)) is not applied: it touches 'shop:till.yaml'"))
        #expect(message.contains("it carries no signature"))
        #expect(try reader.standing("desk").failure == nil)

        let signed = try self.shop.commit("Signed", signedBy: self.ada, amend: true)
        let mended = try #require(try await reader.read(applied: state.commit.id).desired)
        #expect(CommitSet(id: mended.commit.id)?.commits == ["desk": head, "shop": signed])
        #expect(try reader.standing("shop").failure == nil)
    }

    @Test("Where nothing is in force yet, a source whose commit is not signed stays out, and all of them are an error")
    func first() async throws {
        try self.shop.commit("till.yaml", Self.prompt("kiosk"))
        let reader = try self.reader(self.demand)
        let state = try #require(try await reader.read().desired)
        #expect(CommitSet(id: state.commit.id)?.commits.keys.sorted() == ["desk"])
        #expect(try reader.standing("shop").commit == nil)

        try self.desk.commit("desk.yaml", Self.prompt("other"))
        let other = try self.reader(self.demand)
        let error = await #expect(throws: MartletError.self) { try await other.read() }
        #expect(error?.code == "SourcesUnreadable")
        #expect(error?.message.contains("shop: commit \(try self.shop.head().prefix(10)) is not applied") == true)
    }

    @Test("After a restart the commits in force stay so, and what came meanwhile is judged from there")
    func restart() async throws {
        let earlier = try #require(try await self.reader().read().desired).commit.id
        let before = try #require(CommitSet(id: earlier)?.commits["shop"])
        let unsigned = try self.desk.commit("desk.yaml", Self.prompt("other"))
        let applied = CommitSet(["desk": unsigned, "shop": before]).id
        try self.shop.commit("till.yaml", Self.prompt("kiosk"))
        let reader = try self.reader(self.demand)
        let state = try #require(try await reader.read(applied: applied).desired)
        #expect(state.commit.id == applied)
        #expect(try reader.standing("shop").failure?.code == "SignatureRejected")
        #expect(try reader.standing("desk").failure == nil)
    }

    @Test("After a restart without one repository, the policies of the other in force still count")
    func restartWithoutOne() async throws {
        try self.shop.write("keys", bytes: try self.ada.trusted())
        try self.shop.commit("house.yaml", Self.policy("[\"**\"]"))
        let applied = try #require(try await self.reader().read().desired).commit.id
        try self.shop.remove("house.yaml")
        try self.shop.commit("Lift it")
        // Another repository in the place of the desk's: neither its branch nor its commit in force is there.
        let reader = try self.reader(desk: TemporaryRepository())
        let state = try #require(try await reader.read(applied: applied).desired)
        #expect(CommitSet(id: state.commit.id)?.commits["shop"] == CommitSet(id: applied)?.commits["shop"])
        #expect(try reader.standing("shop").failure?.code == "SignatureRejected")
    }

    @Test(
        "A policy guards the paths of its own source, with its own keys, and those of all where it reaches everything"
    )
    func policies() async throws {
        try self.desk.write("keys", bytes: try self.ada.trusted())
        try self.desk.commit("house.yaml", Self.policy("[\"*.yaml\"]"), signedBy: self.ada)
        let (narrow, wide) = (try self.reader(), try self.reader(wide: ["rules"]))
        let applied = try #require(try await narrow.read().desired).commit.id
        try await wide.read()

        let unsigned = try self.shop.commit("till.yaml", Self.prompt("kiosk"))
        let free = try #require(try await narrow.read(applied: applied).desired)
        #expect(CommitSet(id: free.commit.id)?.commits["shop"] == unsigned)
        #expect(try await wide.read(applied: applied).desired == nil)
        let message = try #require(try wide.standing("shop").failure?.message)
        #expect(message.contains("'shop:till.yaml'") && message.contains("Policy/rules/house"), "\(message)")

        try self.desk.commit("desk.yaml", Self.prompt("other"))
        #expect(try await narrow.read(applied: free.commit.id).desired == nil)
        #expect(try narrow.standing("desk").failure?.code == "SignatureRejected")
        // What guards nothing of theirs lets others on.
        let notes = try self.shop.commit("notes.txt", "free")
        let last = try #require(try await narrow.read(applied: free.commit.id).desired)
        #expect(CommitSet(id: last.commit.id)?.commits["shop"] == notes)
    }

    @Test("A commit that makes a rule which nobody can satisfy stays back alone")
    func impossibleRule() async throws {
        let reader = try self.reader()
        let applied = try #require(try await reader.read().desired).commit.id
        try self.shop.commit("house.yaml", Self.policy("[\"**\"]"))
        let head = try self.desk.commit("more.yaml", Self.prompt("more"))
        let state = try #require(try await reader.read(applied: applied).desired)
        #expect(CommitSet(id: state.commit.id)?.commits["desk"] == head)
        #expect(CommitSet(id: state.commit.id)?.commits["shop"] == CommitSet(id: applied)?.commits["shop"])
        #expect(state.resources.keys.allSatisfy { $0.kind != .policy })
        let failure = try #require(try reader.standing("shop").failure)
        #expect(failure.message.contains("nobody could satisfy its own rule Policy/default/house"))
        #expect((failure.cause as? RefusedCommit)?.id == (try self.shop.head()))
        // Nothing was lost on the way: the next commits are read as ever.
        let next = try self.desk.commit("next.yaml", Self.prompt("next"))
        let later = try #require(try await reader.read(applied: state.commit.id).desired)
        #expect(CommitSet(id: later.commit.id)?.commits["desk"] == next)
        #expect(later.resources.keys.map(\.name).sorted() == ["desk", "more", "next", "till"])
    }

    @Test("What waited for a person is judged when it comes into force, and each source has its commit then")
    func manual() async throws {
        let reader = try self.reader(self.demand)
        let applied = try #require(try await reader.read().desired).commit.id
        let head = try self.desk.commit("more.yaml", Self.prompt("more"), signedBy: self.ada)
        try self.shop.commit("till.yaml", Self.prompt("kiosk"))
        let waiting = try await reader.read(applied: applied, mode: .manual)
        #expect(waiting.desired == nil && waiting.pending != nil)
        let state = try #require(try await reader.read(applied: applied, mode: .manual, .newest).desired)
        #expect(CommitSet(id: state.commit.id)?.commits["desk"] == head)
        #expect(try reader.standing("desk").commit?.id == head)
        #expect(try reader.standing("shop").failure?.code == "SignatureRejected")
    }
}
