internal import Schema

/// What a pass looks at: everything, or some endpoints and nothing beside them.
enum PlanScope: Sendable, Hashable {
    case everything
    case endpoints(Set<ResourceIdentity>)
}
