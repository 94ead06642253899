import Foundation
import Planning
import Schema

/// What a controller would say of a small shop.
enum SampleViews {
    static func revision(_ digit: Character) -> Revision {
        Revision(Digest(of: [digit.asciiValue ?? 0]))
    }

    private static let variant = VariantView(
        variant: VariantID(namespace: "shop", endpoint: "desk"),
        desired: revision("b"),
        attempted: revision("b"),
        serving: [TrafficShare(revision: revision("a"), weight: 100)],
        promoted: revision("a"),
        earlier: [],
        rollout: Rollout(
            revision: revision("b"),
            strategy: .immediate,
            startedAt: Timestamp(milliseconds: 1_700_000_000_000)
        ),
        hold: nil,
        replicas: 1,
        inFlight: 2
    )

    static let endpoint = ResourceView(
        identity: ResourceIdentity(.endpoint, namespace: "shop", name: "desk"),
        labels: ["team": "support"],
        location: "desk.yaml:1:1",
        sync: .outOfSync,
        health: .progressing,
        conditions: [
            Condition(
                type: .reconciling,
                status: .yes,
                reason: "RollingOut",
                message: "one\ntwo \u{1B}[31m",
                lastTransitionTime: 1
            )
        ],
        variants: [variant],
        settingsRevision: revision("s"),
        spec: ["serve": ["chain": "desk"]]
    )

    static let model = ResourceView(
        identity: ResourceIdentity(.model, namespace: "shop", name: "tiny"),
        digest: Digest(of: "m".utf8),
        location: "tiny.yaml:1:1",
        sync: .synced,
        health: .healthy
    )

    static let hold = Hold(
        variant: variant.variant,
        revision: revision("b"),
        reason: "RolledBack",
        message: "worse answers",
        actor: Actor("ada"),
        at: Timestamp(milliseconds: 1_700_000_000_000),
        commit: "c0ffee",
        target: revision("a")
    )

    static func event(_ sequence: Int64, _ message: String) -> Event {
        Event(
            sequence: sequence,
            at: Timestamp(milliseconds: 1_700_000_000_250),
            severity: .warning,
            reason: "Held",
            message: message
        )
    }

    static func status(healthy: Bool, commit: ObjectID = "c0ffee00") -> StatusView {
        StatusView(
            version: "1.2.3",
            source: SourceView(
                location: "/shop",
                ref: "main",
                path: "",
                commit: CommitSummary(id: commit, subject: "Answer better", author: "Ada", time: 1),
                condition: Condition(
                    type: .sourceReady,
                    status: .yes,
                    reason: "Read",
                    message: "",
                    lastTransitionTime: 1
                )
            ),
            sync: healthy ? .synced : .outOfSync,
            health: healthy ? .healthy : .progressing,
            suspended: false,
            endpoints: [endpoint],
            diagnostics: [],
            holds: [hold],
            waits: [],
            pendingSteps: healthy ? 0 : 3,
            memoryBytes: 3 << 20,
            memoryBudget: 1 << 30,
            abandonedCalls: 0
        )
    }

    static func json(_ value: some Encodable) -> String {
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "unencodable"
    }
}
