internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Policies and signatures, from the command line to the answers.
    struct PolicyTests {
        @Test func violationIsBlockedAndNamedAndThePromotedRevisionServes() async throws {
            let repository = try TemporaryRepository()
            try Self.write(repository, answer: "good day")
            try repository.commit("policy.yaml", Self.policy("engines: {allow: [replay]}"))
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())

            try Self.write(repository, answer: "good night")
            let strict = try repository.commit("policy.yaml", Self.policy("engines: {allow: [llama]}"))
            let plan = try await martlet.verb("plan", "--base", "HEAD~1", "--head", "HEAD")
            #expect(plan.code == 2)
            #expect(
                plan.output.contains("Policies\n  deny good.yaml:4:16 Model/default/good: spec.engine: engine 'replay'")
            )
            let validation = try await martlet.verb("validate", "--ref", "HEAD")
            #expect(validation.code == 2)
            #expect(validation.complaint.contains("good.yaml:4:16: error: spec.engine: engine 'replay' is not allowed"))

            try await martlet.waitForConvergence(of: strict)
            let event = try await martlet.waitForEvent("PolicyViolation", saying: "Policy/default/house")
            #expect(event.message.contains("spec.engines.allow"))
            let model = try await martlet.resource(.model, "good")
            #expect(model.conditions.first { $0.type == .blocked }?.reason == "PolicyViolation")
            #expect(try await Self.answer(of: martlet) == "good day")

            try repository.commit("policy.yaml", Self.policy("engines: {allow: [llama]}\n  enforcement: warn"))
            try await martlet.wait(for: "the new answer") { try await Self.answer(of: martlet) == "good night" }
        }

        @Test func policyFromOutsideCannotBeLiftedByACommit() async throws {
            let repository = try TemporaryRepository()
            try Self.write(repository, answer: "good day")
            try repository.commit("Serve")
            let folder = try TemporaryFolder()
            try folder.write("policy.yaml", Array(Self.policy("require: {labels: [team]}").utf8))
            let martlet = try await RunningMartlet.started(
                repository.path,
                options: ["--policy", folder.file("policy.yaml")]
            )
            try await martlet.waitForEvent("PolicyViolation", saying: "metadata.labels: the label 'team' is missing")
            let validation = try await martlet.verb("validate", "--policy", folder.file("policy.yaml"))
            #expect(validation.code == 2)
            try folder.write("broken.yaml", Array("kind: Policy".utf8))
            let broken = try await martlet.verb("validate", "--policy", folder.file("broken.yaml"))
            #expect(broken.code == 2)
            #expect(broken.complaint.contains("broken.yaml:1:1: error: missing field"), "\(broken.complaint)")
        }

        @Test func unsignedCommitIsRefusedWhileTheLastOneServesAndASignedOneIsTaken() async throws {
            let (repository, key) = (try TemporaryRepository(), try SigningKey(.ssh, address: "ada@example.org"))
            let folder = try TemporaryFolder()
            try folder.write("allowed_signers", try key.trusted())
            let demand = ["--require-signatures", folder.file("allowed_signers")]
            try Self.write(repository, answer: "good day")
            let first = try repository.commit("Serve", signedBy: key)
            let martlet = try await RunningMartlet.started(repository.path, options: demand)
            try await martlet.waitForConvergence(of: first)

            try Self.write(repository, answer: "good night")
            let unsigned = try repository.commit("Unsigned")
            let event = try await martlet.waitForEvent("SignatureRejected", saying: "it carries no signature")
            #expect(event.commit == unsigned)
            #expect(try await Self.answer(of: martlet) == "good day")
            #expect(try await martlet.status().source.condition.reason == "SignatureRejected")
            let sync = try await martlet.verb("sync")
            #expect(sync.code == 2 && sync.complaint.contains("it carries no signature"), "\(sync.complaint)")
            let sides = ["--base", first, "--head", "HEAD"]
            let refused = try await Executable.run(["plan"] + sides + demand, in: repository.path, environment: [:])
            #expect(
                refused.code == 2
                    && refused.output.contains("Signature\n  commit \(unsigned.prefix(10)) is not applied")
            )

            let signed = try repository.commit("Signed", signedBy: key, amend: true)
            let accepted = try await Executable.run(["plan"] + sides + demand, in: repository.path, environment: [:])
            #expect(accepted.output.contains("Signature\n  the commit is accepted: it is signed by ada@example.org"))
            try await martlet.wait(for: "the new answer") { try await Self.answer(of: martlet) == "good night" }
            let entries = try await martlet.auditEntries()
            let taken = entries.first { $0.action == "accept" && $0.commit == signed }
            #expect(taken?.signer?.hasPrefix("ada@example.org (SHA256:") == true)
            #expect(entries.contains { $0.action == "refuse" && $0.commit == unsigned })
            #expect(try await martlet.audit().brokenAt == nil)
            let history = try await martlet.verb("history")
            #expect(history.output.contains("ada@example.org (SHA256:"))
        }

        private static func answer(of martlet: RunningMartlet) async throws -> String? {
            let answer = try await martlet.data.post("/v1/completions", ["model": "good", "prompt": "hello"])
            return answer.json["choices"]?.array?.first?["text"]?.string
        }

        private static func write(_ repository: TemporaryRepository, answer: String) throws {
            try repository.write("answers.jsonl", #"{"input": {"prompt": "hello"}, "output": "\#(answer)"}"# + "\n")
            try repository.write(
                "good.yaml",
                """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: good}
                spec: {engine: replay, source: {uri: answers.jsonl}}
                ---
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: good}
                spec: {serve: {model: good}, access: {anonymous: true}}

                """
            )
        }

        private static func policy(_ spec: String) -> String {
            """
            apiVersion: martlet.dev/v1
            kind: Policy
            metadata: {name: house}
            spec:
              \(spec)

            """
        }
    }
}
