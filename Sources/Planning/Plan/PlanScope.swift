package import Schema

/// What a plan is made for: everything, or some endpoints and nothing beside them.
package enum PlanScope: Sendable, Hashable {
    case everything
    case endpoints(Set<ResourceIdentity>)

    func contains(_ endpoint: ResourceIdentity) -> Bool {
        switch self {
        case .everything: true
        case .endpoints(let endpoints): endpoints.contains(endpoint)
        }
    }
}
