package import Schema

/// Who asks, from where and why: written into the audit log.
package struct OperatorRequest: Sendable, Hashable, Codable {
    package var actor: Actor
    package var origin: String
    package var reason: String

    package init(actor: Actor, origin: String, reason: String) {
        self.actor = actor
        self.origin = origin
        self.reason = reason
    }
}

/// What operators can see and do: the admin API's routes act through it, the controller carries it out.
///
/// Errors are ``MartletError`` with the codes `NotFound` (404), `Conflict` (409), `BadRequest` (400), else 500.
package protocol OperatorCommands: Sendable {
    func status() async throws -> StatusView
    /// A page of the resources; `spec` left out.
    func resources(_ query: ResourceQuery) async throws -> ResourcePage
    func resource(_ identity: ResourceIdentity) async throws -> ResourceView
    /// The resources of the commit in force as manifests, of one kind or namespace where given.
    func manifests(kind: Kind?, namespace: String?) async throws -> [ManifestView]
    /// What the loop would do now.
    func plan() async throws -> Plan
    func events(_ query: EventQuery) async throws -> [Event]
    /// New events as they are stored. Ends with its consumer.
    func eventStream() async -> AsyncStream<Event>
    func history(of variant: VariantID?, limit: Int) async throws -> HistoryView
    func holds() async throws -> [Hold]
    func audit(limit: Int) async throws -> [AuditEntry]
    func verifyAudit() async throws -> AuditVerification
    func engines() async throws -> [EngineReport]

    /// Asks where the commits of a source come from for newer ones; nil asks for every source. Throws `NotFound` for a
    /// name that no source has, and why newer commits cannot be had.
    func fetch(_ source: String?) async throws
    /// Reads the source again at once, applies the newest commit or another one, and reports the one in force.
    func sync(to revision: String?, _ request: OperatorRequest) async throws -> CommitSummary
    /// Lets a commit, given by its first digits, remove what the guard has stopped.
    func confirm(_ commit: String, _ request: OperatorRequest) async throws -> PruneConfirmation
    func suspend(_ suspension: Suspension, _ request: OperatorRequest) async throws
    func resume(_ suspension: Suspension, _ request: OperatorRequest) async throws
    /// Holds the desired revision and goes back to `revision`, given by its first digits, or to the promoted before.
    func rollback(_ variant: VariantID, to revision: String?, _ request: OperatorRequest) async throws -> Hold
    /// Lifts the hold on the desired revision and forgets its failures, so that it is tried again.
    func retry(_ variant: VariantID, _ request: OperatorRequest) async throws
    /// Lifts every hold of the variant.
    func release(_ variant: VariantID, _ request: OperatorRequest) async throws
}

extension OperatorCommands {
    /// Every resource, of one kind or namespace where given.
    package func resources(kind: Kind?, namespace: String?) async throws -> [ResourceView] {
        try await self.resources(ResourceQuery(kind: kind, namespace: namespace)).resources
    }

    /// Nothing is to be asked where repositories are read in place.
    package func fetch(_ source: String?) async throws {}

    /// Reads the source again at once, applies the newest commit, and reports the one in force.
    @discardableResult
    package func sync(_ request: OperatorRequest) async throws -> CommitSummary {
        try await self.sync(to: nil, request)
    }
}
