import Planning
import Schema
import Synchronization

/// Operator commands that answer from fixed values and remember what was done.
final class FakeCommands: OperatorCommands {
    static let variant = VariantID(namespace: "default", endpoint: "desk", tenant: "acme")
    static let revision = Revision(Digest(of: [1]))
    static let hold = Hold(
        variant: FakeCommands.variant,
        revision: FakeCommands.revision,
        reason: "RolledBack",
        message: "Because.",
        actor: Actor("ann"),
        at: Timestamp(milliseconds: 1),
        commit: "c0"
    )

    private let done = Mutex<[String]>([])
    private let failure: (any Error)?
    private let stored: [Event]
    private let live: AsyncStream<Event>
    private let onAsked: @Sendable () -> Void
    private let sources: [SourceView]

    /// - Parameters:
    ///   - unread: Sources that cannot be read, with why not.
    ///   - read: Sources that can.
    init(
        failure: (any Error)? = nil,
        unread: [String: String] = [:],
        read: [String] = [],
        stored: [Event] = [],
        live: AsyncStream<Event> = AsyncStream { $0.finish() },
        onAsked: @escaping @Sendable () -> Void = {}
    ) {
        self.onAsked = onAsked
        self.sources = (read.map { ($0, nil) } + unread.map { ($0.key, $0.value) }).map { name, problem in
            let condition = Condition(
                type: .sourceReady,
                status: problem == nil ? .yes : .no,
                reason: problem == nil ? "Read" : "RefNotFound",
                message: problem ?? "",
                lastTransitionTime: 0
            )
            return SourceView(
                name: name,
                location: "/\(name)",
                ref: "main",
                path: "",
                commit: nil,
                condition: condition
            )
        }
        self.failure = failure
        self.stored = stored
        self.live = live
    }

    /// What was asked, in order, one line each.
    var log: [String] { self.done.withLock { $0 } }

    static func event(_ sequence: Int64, _ resource: ResourceIdentity? = nil) -> Event {
        Event(
            sequence: sequence,
            at: Timestamp(milliseconds: sequence * 1000),
            resource: resource,
            reason: "Promoted",
            message: "Line\nbreak \(sequence)"
        )
    }

    private func note(_ line: String) throws {
        self.done.withLock { $0.append(line) }
        self.onAsked()
        if let failure { throw failure }
    }

    private func note(_ line: String, _ request: OperatorRequest) throws {
        try self.note("\(line) by \(request.actor) from \(request.origin): \(request.reason)")
    }

    private var condition: Condition {
        Condition(type: .ready, status: .yes, reason: "Ready", message: "", lastTransitionTime: 0)
    }

    func status() async throws -> StatusView {
        try self.note("status")
        return StatusView(
            version: "1",
            source: SourceView(location: "/r", ref: "main", path: "", commit: nil, condition: self.condition),
            sources: self.sources,
            sync: .synced,
            health: .healthy,
            suspended: false,
            endpoints: [],
            diagnostics: [],
            holds: [Self.hold],
            waits: [],
            pendingSteps: 0,
            memoryBytes: 0,
            memoryBudget: nil,
            abandonedCalls: 0
        )
    }

    func resources(_ query: ResourceQuery) async throws -> ResourcePage {
        try self.note("resources \(query.kind?.rawValue ?? "-") \(query.namespace ?? "-")")
        let (page, isLast) = query.page(of: Self.resources.map(\.identity))
        return ResourcePage(
            resources: Self.resources.filter { page.contains($0.identity) },
            next: isLast ? nil : page.last
        )
    }

    private static var resources: [ResourceView] {
        let rollout = Rollout(revision: Self.revision, strategy: .canary, startedAt: Timestamp(milliseconds: 5))
        return [("desk", "search", rollout), ("shelf", "sales", nil)].map { name, team, rollout in
            ResourceView(
                identity: ResourceIdentity(.endpoint, namespace: "default", name: name),
                labels: ["team": team],
                sync: .synced,
                health: .healthy,
                variants: [
                    VariantView(
                        variant: VariantID(namespace: "default", endpoint: name),
                        desired: nil,
                        attempted: nil,
                        serving: [],
                        promoted: nil,
                        earlier: [],
                        rollout: rollout,
                        hold: nil,
                        replicas: 1,
                        inFlight: 0
                    )
                ]
            )
        }
    }

    func resource(_ identity: ResourceIdentity) async throws -> ResourceView {
        try self.note("resource \(identity)")
        return ResourceView(identity: identity, sync: .synced, health: .healthy, spec: ["a": 1])
    }

    func plan() async throws -> Plan {
        try self.note("plan")
        return Plan(commit: "c0")
    }

    func events(_ query: EventQuery) async throws -> [Event] {
        try self.note("events \(query.after ?? -1) \(query.resource?.description ?? "-") \(query.limit)")
        return self.stored.filter { $0.sequence > query.after ?? 0 }
    }

    func eventStream() async -> AsyncStream<Event> { self.live }

    func history(of variant: VariantID?, limit: Int) async throws -> HistoryView {
        try self.note("history \(variant?.description ?? "-") \(limit)")
        return HistoryView(promotions: [], commits: [])
    }

    func holds() async throws -> [Hold] {
        try self.note("holds")
        return [Self.hold]
    }

    func audit(limit: Int) async throws -> [AuditEntry] {
        try self.note("audit \(limit)")
        return []
    }

    func verifyAudit() async throws -> AuditVerification {
        try self.note("verifyAudit")
        return AuditVerification(entries: 3, brokenAt: nil, message: "whole")
    }

    func manifests(kind: Kind?, namespace: String?) async throws -> [ManifestView] {
        try self.note("manifests \(kind?.rawValue ?? "-") \(namespace ?? "-")")
        return []
    }

    func engines() async throws -> [EngineReport] {
        try self.note("engines")
        return [EngineReport(name: "scripted", location: "built in", version: "1", problem: nil)]
    }

    func confirm(_ commit: String, _ request: OperatorRequest) async throws -> PruneConfirmation {
        try self.note("confirm \(commit)", request)
        return PruneConfirmation(
            commit: commit,
            endpoints: [],
            actor: request.actor,
            reason: request.reason,
            at: Timestamp(milliseconds: 3)
        )
    }

    func sync(to revision: String?, _ request: OperatorRequest) async throws -> CommitSummary {
        try self.note("sync" + (revision.map { " to \($0)" } ?? ""), request)
        return CommitSummary(id: "c1", subject: "s", author: "a", time: 2)
    }

    func suspend(_ suspension: Suspension, _ request: OperatorRequest) async throws {
        try self.note("suspend \(self.words(suspension))", request)
    }

    func resume(_ suspension: Suspension, _ request: OperatorRequest) async throws {
        try self.note("resume \(self.words(suspension))", request)
    }

    func rollback(_ variant: VariantID, to revision: String?, _ request: OperatorRequest) async throws -> Hold {
        try self.note("rollback \(variant) to \(revision ?? "-")", request)
        return Self.hold
    }

    func retry(_ variant: VariantID, _ request: OperatorRequest) async throws {
        try self.note("retry \(variant)", request)
    }

    func release(_ variant: VariantID, _ request: OperatorRequest) async throws {
        try self.note("release \(variant)", request)
    }

    private func words(_ suspension: Suspension) -> String {
        switch suspension {
        case .everything: "everything"
        case .resource(let identity): identity.description
        }
    }
}
