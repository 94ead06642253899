package import Schema

/// What the policies say about the resources of one commit.
package struct PolicyReview: Sendable, Hashable {
    /// The most memory that an instance of a model may have, and who says so.
    package struct MemoryLimit: Sendable, Hashable {
        package var bytes: Int64
        package var policy: ResourceIdentity
    }

    /// Finds where a field of a resource stands; reading the file once more is fine, since few fields break policies.
    package typealias FieldLocator = (Resource, FieldPath, Finding.Place) -> SourceLocation

    /// The policies that were asked.
    package private(set) var policies = PolicySet()
    /// By resource, each list sorted.
    package private(set) var findings: [ResourceIdentity: [PolicyFinding]] = [:]
    /// Of models whose memory a policy limits and denies: the probe's measure has to heed it too.
    package private(set) var memoryLimits: [ResourceIdentity: MemoryLimit] = [:]

    /// What is doubtful about the policies themselves.
    private var warnings: [Diagnostic] = []

    package init() {}

    /// Has asked nothing yet.
    init(policies: PolicySet) {
        self.policies = policies
    }

    /// Asks every policy about some resources, forgets what was said about those that are gone, and gives the resources
    /// about which something else is said now.
    mutating func review(
        _ identities: [ResourceIdentity],
        in resources: [ResourceIdentity: Resource],
        _ locate: FieldLocator
    ) -> Set<ResourceIdentity> {
        guard !self.policies.isEmpty else { return [] }
        var moved: Set<ResourceIdentity> = []
        for identity in identities {
            let before = (self.findings.removeValue(forKey: identity), self.memoryLimits.removeValue(forKey: identity))
            if let resource = resources[identity] { self.ask(about: resource, locate) }
            if before.0 != self.findings[identity] || before.1 != self.memoryLimits[identity] { moved.insert(identity) }
        }
        guard identities.contains(where: { $0.kind == .policy }) else { return moved }
        let own = self.policies.policies.compactMap { resources[$0.identity] }
        self.warnings = own.compactMap { self.warning(about: $0, locate) }
        return moved
    }

    /// All findings, sorted by place.
    package var allFindings: [PolicyFinding] {
        self.findings.values.flatMap(\.self).sorted()
    }

    /// Findings as the readers of manifests report their own, and what is doubtful about the policies themselves.
    package var diagnostics: [Diagnostic] {
        self.findings.values.flatMap { $0.map(\.diagnostic) } + self.warnings
    }

    /// Whether a diagnostic tells of a broken policy.
    package func isFinding(_ diagnostic: Diagnostic) -> Bool {
        diagnostic.resource.flatMap { self.findings[$0] }?.contains { $0.diagnostic == diagnostic } ?? false
    }

    /// Why a resource is held back, or nil when nothing forbids it.
    package func blocker(of resource: ResourceIdentity) -> DesiredState.Blocker? {
        guard !self.policies.isEmpty, resource.kind != .policy else { return nil }
        if let broken = self.policies.broken.first(where: { $0.reach.contains(resource) }) {
            return DesiredState.Blocker(
                resource: broken.identity,
                message: "it cannot be read, so nobody knows what it forbids: \(broken.message)",
                word: "PolicyBroken"
            )
        }
        guard let finding = self.findings[resource]?.first(where: { $0.enforcement == .deny }) else { return nil }
        return DesiredState.Blocker(resource: resource, message: finding.sentence, word: PolicyReview.violation)
    }

    /// The word of a resource that breaks a policy.
    package static let violation = "PolicyViolation"

    private mutating func ask(about resource: Resource, _ locate: FieldLocator) {
        var found: [PolicyFinding] = []
        for policy in self.policies.policies {
            for violation in PolicyEvaluation.violations(of: policy, by: resource) {
                found.append(
                    PolicyFinding(
                        policy: policy.identity,
                        rule: violation.rule,
                        resource: resource.identity,
                        field: violation.field.description,
                        location: locate(resource, violation.field, violation.place),
                        enforcement: policy.spec.enforcement,
                        message: violation.message
                    )
                )
            }
            self.limitMemory(of: resource, policy)
        }
        self.findings[resource.identity] = found.isEmpty ? nil : found.sorted()
    }

    /// A policy that names other namespaces than its own speaks to nobody, unless it reaches beyond its own.
    private func warning(about resource: Resource, _ locate: FieldLocator) -> Diagnostic? {
        guard let policy = self.policies.policies.first(where: { $0.identity == resource.identity }),
            case .namespace(let own) = policy.reach, let names = policy.spec.match.namespaces,
            !names.contains(where: { NamePattern($0).matches(own) })
        else { return nil }
        return Diagnostic(
            .warning,
            at: locate(resource, FieldPath("spec", "match", "namespaces"), .value),
            "the policy matches nothing: a policy reaches its own namespace, '\(own)', unless whoever runs martlet says "
                + "--policy-namespace \(own)",
            resource: resource.identity
        )
    }

    private mutating func limitMemory(of resource: Resource, _ policy: Policy) {
        guard resource.identity.kind == .model, let limit = policy.spec.limits.memory,
            policy.spec.enforcement == .deny, policy.matches(resource)
        else { return }
        if let other = self.memoryLimits[resource.identity], other.bytes <= limit.bytes { return }
        self.memoryLimits[resource.identity] = MemoryLimit(bytes: limit.bytes, policy: policy.identity)
    }
}
