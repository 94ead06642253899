package import Schema

/// One way in which one resource breaks one policy.
package struct PolicyFinding: Sendable, Hashable, Codable, Comparable {
    package var policy: ResourceIdentity
    /// The field of the policy that is broken: `spec.engines.allow`.
    package var rule: String
    package var resource: ResourceIdentity
    /// The field of the resource that breaks it: `spec.engine`.
    package var field: String
    package var location: SourceLocation
    package var enforcement: PolicySpec.Enforcement
    /// What is wrong, without the names above.
    package var message: String

    package init(
        policy: ResourceIdentity,
        rule: String,
        resource: ResourceIdentity,
        field: String,
        location: SourceLocation,
        enforcement: PolicySpec.Enforcement,
        message: String
    ) {
        self.policy = policy
        self.rule = rule
        self.resource = resource
        self.field = field
        self.location = location
        self.enforcement = enforcement
        self.message = message
    }

    /// The finding in one line, without its place: `spec.engine: engine 'x' is not allowed … (Policy/shop/house, …)`.
    package var sentence: String {
        "\(self.field): \(self.message) (\(self.policy), \(self.rule))"
    }

    /// As `martlet validate` prints it: an error where the policy denies, else a warning.
    package var diagnostic: Diagnostic {
        let severity: Diagnostic.Severity =
            switch self.enforcement {
            case .deny: .error
            case .warn: .warning
            }
        return Diagnostic(severity, at: self.location, self.sentence, resource: self.resource)
    }

    package static func < (lhs: PolicyFinding, rhs: PolicyFinding) -> Bool {
        (lhs.location, lhs.policy, lhs.rule, lhs.message) < (rhs.location, rhs.policy, rhs.rule, rhs.message)
    }
}
