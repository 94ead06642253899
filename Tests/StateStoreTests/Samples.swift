import Foundation
import Planning
import Schema

/// Small values to store; equal arguments give equal values.
enum Samples {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    static func variant(_ number: Int) -> VariantID {
        VariantID(namespace: "default", endpoint: "desk-\(number / 2)", tenant: number.isMultiple(of: 2) ? nil : "acme")
    }

    static func revision(_ number: Int) -> Revision {
        Revision(Digest(of: "revision \(number)".utf8))
    }

    static func instance(_ number: Int) -> InstanceKey {
        InstanceKey(Digest(of: "instance \(number)".utf8))
    }

    static func object(_ number: Int) -> ObjectID {
        String(Digest(of: "object \(number)".utf8).hex.prefix(40))
    }

    static func resource(_ number: Int) -> ResourceIdentity {
        ResourceIdentity(.endpoint, namespace: "default", name: "desk-\(number)")
    }

    /// A graph with a model and its options, as a resolved commit has them.
    static func graph(_ variant: VariantID, _ number: Int) throws -> RevisionGraph {
        let spec = InstanceSpec(
            model: ResourceIdentity(.model, namespace: "default", name: "tiny"),
            engine: "llama",
            artifact: Artifact(location: .repository(path: "models/tiny.gguf", blob: self.object(number)), size: 42),
            options: ["context": 512, "note": "größer \"und\" \\ schöner", "scale": 0.1, "list": [1, nil, true]]
        )
        return RevisionGraph(
            variant: variant,
            revision: self.revision(number),
            commit: self.object(number),
            serve: try JSONDecoder().decode(EndpointSpec.Serve.self, from: Data(#"{"model": "tiny"}"#.utf8)),
            chat: nil,
            chains: [],
            templates: [],
            models: [.init(identity: spec.model, digest: Digest(of: "model".utf8), instance: spec)]
        )
    }

    /// Facts that name the given revisions, the last one promoted.
    static func facts(_ variant: VariantID, revisions: [Int]) throws -> VariantFacts {
        VariantFacts(
            promoted: revisions.last.map { self.revision($0) },
            earlier: revisions.dropLast().map { self.revision($0) },
            attempted: revisions.last.map { self.revision($0) },
            rollout: Rollout(revision: self.revision(revisions.last ?? 0), strategy: .immediate, startedAt: self.start),
            graphs: try revisions.map { try self.graph(variant, $0) }
        )
    }

    static func hold(_ variant: VariantID, _ number: Int, message: String = "it did not answer") -> Hold {
        Hold(
            variant: variant,
            revision: self.revision(number),
            reason: "WarmUpFailed",
            message: message,
            actor: .controller,
            at: self.start,
            commit: self.object(number),
            target: number.isMultiple(of: 2) ? nil : self.revision(0)
        )
    }

    static func probe(_ number: Int) -> ProbeReport {
        ProbeReport(
            description: ModelDescription(
                architecture: "llama",
                weightBytes: Int64(number) << 20,
                sessionBytes: 1 << 20,
                contextLength: 512,
                slots: 4,
                embeddingWidth: number.isMultiple(of: 2) ? nil : 64,
                generates: true,
                vocabularySize: 260
            ),
            measuredBytes: Int64(number) << 21,
            seconds: 0.1 + Double(number)
        )
    }

    static func commit(_ number: Int, readAt: Int64 = 0, converged: Int64? = nil) -> CommitRecord {
        CommitRecord(
            commit: CommitSummary(
                id: self.object(number),
                subject: "Change \(number)",
                author: "Ada <ada@example.org>",
                time: Int64(number)
            ),
            readAt: self.start.advanced(byMilliseconds: readAt),
            errors: number,
            convergedAt: converged.map { self.start.advanced(byMilliseconds: $0) }
        )
    }

    static func applied(_ source: String, _ number: Int) -> AppliedCommit {
        AppliedCommit(
            source: source,
            commit: self.commit(number).commit,
            at: self.start.advanced(byMilliseconds: Int64(number)),
            actor: number.isMultiple(of: 2) ? .controller : Actor("ada")
        )
    }

    static func confirmation(_ number: Int, of endpoints: Int) -> PruneConfirmation {
        PruneConfirmation(
            commit: self.object(number),
            endpoints: (0..<endpoints).map { self.resource($0) },
            actor: Actor("ada"),
            reason: "they moved to \"elsewhere\"",
            at: self.start
        )
    }

    static func promotion(_ variant: VariantID, _ number: Int) -> PromotionRecord {
        PromotionRecord(
            variant: variant,
            revision: self.revision(number),
            commit: self.object(number),
            at: self.start,
            actor: Actor("ada"),
            reason: "ready"
        )
    }

    static func condition(_ message: String) -> Condition {
        Condition(
            type: .ready,
            status: .yes,
            reason: "Serving",
            message: message,
            lastTransitionTime: 1_700_000_000.125,
            observedRevision: "abc"
        )
    }

    static func event(_ number: Int, resource: ResourceIdentity? = nil, variant: VariantID? = nil) -> Event {
        Event(
            at: self.start.advanced(byMilliseconds: Int64(number)),
            severity: number.isMultiple(of: 2) ? .normal : .warning,
            resource: resource,
            variant: variant,
            revision: self.revision(number),
            commit: self.object(number),
            reason: "Promoted",
            message: "message \(number)"
        )
    }

    static func audit(_ number: Int) -> AuditEntry {
        AuditEntry(
            at: self.start.advanced(byMilliseconds: Int64(number)),
            actor: Actor("ada"),
            action: "rollback",
            subject: "default/desk#\(number)",
            reason: "because \"\(number)\"\n",
            origin: "cli",
            commit: number.isMultiple(of: 2) ? nil : self.object(number),
            signer: number.isMultiple(of: 3) ? "Ada <ada@example.org> (SHA256:\(number))" : nil
        )
    }
}
