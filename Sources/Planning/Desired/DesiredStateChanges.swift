package import Schema

/// What differs between a desired state and the one that was made before it.
///
/// A resource is named when anything is different that the state says about it: the resource itself, whether it is
/// there, blocked or retained, and for an endpoint also its settings and the revision of any of its variants. So an
/// endpoint whose prompt has changed is named together with the prompt. The commit and the diagnostics always may differ.
package enum DesiredStateChanges: Sendable, Hashable {
    /// Nothing is known of a state before, or more has changed than is worth a list.
    case everything
    /// These at the most; others are as they were.
    case resources(Set<ResourceIdentity>)

    /// Both changes one after the other.
    package mutating func formUnion(_ later: DesiredStateChanges) {
        switch (self, later) {
        case (.resources(let earlier), .resources(let later)): self = .resources(earlier.union(later))
        case (.everything, _), (_, .everything): self = .everything
        }
    }
}
