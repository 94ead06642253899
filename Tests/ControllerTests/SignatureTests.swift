import Controller
import Planning
import Schema
import TestSupport
import Testing

/// Which commits come into force by who signed them, and what is said of those that do not.
@Suite(.timeLimit(.minutes(1)))
struct SignatureTests {
    private let ada: SigningKey
    private let demand: SignatureGuard.Demand

    init() throws {
        self.ada = try SigningKey(.ssh, address: "ada@example.org")
        let keys = SigningKeys(allowedSigners: try self.ada.trusted())
        self.demand = SignatureGuard.Demand(keys: keys, paths: ["**"])
    }

    private static func write(_ repository: TemporaryRepository, weights: String) throws {
        try repository.write("models/desk.jsonl", weights)
        try repository.write("desk.yaml", ControllerSetup.manifest)
    }

    @Test func unsignedCommitLeavesTheLastOneInForceAndASignedOneIsTaken() async throws {
        let setup = try ControllerSetup(signatures: self.demand)
        try Self.write(setup.repository, weights: "one")
        let first = try setup.repository.commit("one", signedBy: self.ada)
        try await setup.run { setup in
            try await setup.event("Converged")
            let accepted = try setup.store.audit(limit: 100).first { $0.action == "accept" }
            #expect(accepted?.commit == first)
            #expect(accepted?.signer?.hasPrefix("ada@example.org (SHA256:") == true)
            #expect(try setup.store.commits(limit: 1).first?.commit.signer == accepted?.signer)

            let refused = try setup.commitDesk(weights: "two")
            let event = try await setup.event("SignatureRejected", "it carries no signature", "--require-signatures")
            #expect(event.commit == refused && event.severity == .warning)
            let status = try await setup.reconciler.status()
            #expect(status.source.condition.status == .no)
            #expect(status.source.condition.reason == "SignatureRejected")
            #expect(status.source.commit?.id == first)
            #expect(status.sync == .outOfSync)
            let obstacles = try await setup.reconciler.plan().obstacles
            #expect(obstacles.count == 1)
            #expect(obstacles.first?.hasPrefix("the newest commit is refused: SignatureRejected: ") == true)
            let entry = try setup.store.audit(limit: 1).first
            #expect(entry?.action == "refuse" && entry?.commit == refused && entry?.signer == nil)

            let seen = try setup.newestEvent()
            let amended = try setup.repository.commit("two", signedBy: self.ada, amend: true)
            try await setup.event("Promoted", after: seen)
            try await setup.event("Converged", after: seen)
            let now = try await setup.reconciler.status()
            #expect(now.source.commit?.id == amended && now.source.condition.status == .yes)
            #expect(now.sync == .synced)
            #expect(try await setup.reconciler.plan().obstacles.isEmpty)
        }
    }

    @Test func signedCommitOnTopOfAnUnsignedOneIsRefusedUntilItIsMerged() async throws {
        let setup = try ControllerSetup(signatures: self.demand)
        try Self.write(setup.repository, weights: "one")
        let first = try setup.repository.commit("one", signedBy: self.ada)
        try await setup.run { setup in
            try await setup.event("Converged")
            let unsigned = try setup.commitDesk(weights: "two")
            try await setup.event("SignatureRejected", String(unsigned.prefix(10)))
            try Self.write(setup.repository, weights: "three")
            let signed = try setup.repository.commit("three", signedBy: self.ada)
            try await setup.event("SignatureRejected", String(signed.prefix(10)), "before it")

            let seen = try setup.newestEvent()
            try setup.repository.git("checkout", "--quiet", "-b", "vouched", first)
            let merge = try setup.repository.merge("main", signedBy: self.ada)
            try setup.repository.git("branch", "--force", "main", "vouched")
            try await setup.event("CommitRead", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(try await setup.reconciler.status().source.commit?.id == merge)
        }
    }

    @Test func restartKeepsTheLastGoodCommitInForce() async throws {
        let first = try ControllerSetup(signatures: self.demand)
        try Self.write(first.repository, weights: "one")
        let good = try first.repository.commit("one", signedBy: self.ada)
        try await first.run { try await $0.event("Converged") }
        try first.commitDesk(weights: "two", extra: ControllerSetup.second)

        let second = try ControllerSetup(restarting: first, signatures: self.demand)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("SignatureRejected", after: seen)
            try await setup.event("Converged", after: seen)
            let status = try await setup.reconciler.status()
            #expect(status.source.commit?.id == good)
            #expect(status.endpoints.map(\.identity.name) == ["desk"])
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.isEmpty == false)
        }
    }

    @Test func commitInForceStaysSoWhenSignaturesAreDemandedLater() async throws {
        let first = try ControllerSetup()
        let unsigned = try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let second = try ControllerSetup(restarting: first, signatures: self.demand)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(try await setup.reconciler.status().source.commit?.id == unsigned)
            #expect(try setup.store.audit(limit: 100).allSatisfy { $0.action != "accept" })
        }
    }

    @Test func policyOfTheCommitInForceGuardsItsPathsAndItself() async throws {
        let setup = try ControllerSetup()
        let policy = """
            apiVersion: martlet.dev/v1
            kind: Policy
            metadata: {name: house}
            spec:
              signatures: [{paths: ["policies/**", "desk.yaml"], allowedSigners: policies/allowed_signers}]

            """
        try setup.repository.write("policies/house.yaml", policy)
        try setup.repository.write("policies/allowed_signers", bytes: try self.ada.trusted())
        try Self.write(setup.repository, weights: "one")
        // Nothing was in force before, so nobody asks who signed the first commit.
        try setup.repository.commit("one")
        try await setup.run { setup in
            try await setup.event("Converged")
            var seen = try setup.newestEvent()
            try setup.repository.commit("models/desk.jsonl", "two")
            try await setup.event("Promoted", after: seen)

            let eve = try SigningKey(.ssh, address: "eve@example.org")
            try setup.repository.write("policies/allowed_signers", bytes: try eve.trusted())
            try setup.repository.commit("Trust me", signedBy: eve)
            try await setup.event("SignatureRejected", "policies/allowed_signers", "Policy/default/house", "not among")
            try setup.repository.git("reset", "--quiet", "--hard", "HEAD~1")
            try setup.repository.remove("policies/house.yaml")
            try setup.repository.commit("Lift it")
            try await setup.event("SignatureRejected", "policies/house.yaml", "no signature")

            try setup.repository.git("reset", "--quiet", "--hard", "HEAD~1")
            seen = try setup.newestEvent()
            try setup.repository.write("desk.yaml", ControllerSetup.manifest + ControllerSetup.second)
            try setup.repository.commit("More", signedBy: self.ada)
            try await setup.event("CommitRead", after: seen)
        }
    }

    @Test(arguments: [
        ("policies/missing", "its keys cannot be read"), (nil, "was given none by --require-signatures"),
    ])
    func ruleThatLocksEverybodyOutIsNotTaken(_ file: String?, _ words: String) async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let rule = file.map { "allowedSigners: \($0)" } ?? "signers: [ada@example.org]"
            let policy = """
                apiVersion: martlet.dev/v1
                kind: Policy
                metadata: {name: house}
                spec: {signatures: [{paths: ["**"], \(rule)}]}

                """
            try setup.repository.commit("house.yaml", policy)
            try await setup.event("SignatureRejected", "nobody could satisfy", words)
            try setup.repository.remove("house.yaml")
            let seen = try setup.newestEvent()
            let mended = try setup.repository.commit("Without it")
            try await setup.event("CommitRead", after: seen)
            #expect(try await setup.reconciler.status().source.commit?.id == mended)
        }
    }
}
