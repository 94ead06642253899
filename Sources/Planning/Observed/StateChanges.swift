package import Schema

/// What may differ between the states that one plan was made from and those that the next one is made from.
///
/// Names too much rather than too little: what is named is looked at again, what is not is taken as it was.
package struct StateChanges: Sendable, Hashable {
    /// Anything may differ: suspensions, engines, the memory budget, or too much to list.
    package var isEverything: Bool
    /// Whose settings, blocker or retention may differ, in the desired state or in the runtime.
    package var endpoints: Set<ResourceIdentity> = []
    /// Whose desired revision, written facts, holds, traffic or wanted number of replicas may differ.
    package var variants: Set<VariantID> = []
    package var runners: Set<RunnerKey> = []
    /// Which may be seen, measured, crashed or failing in another way.
    package var instances: Set<InstanceKey> = []
    /// Resources beside endpoints that the desired state says something else about.
    package var parts: Set<ResourceIdentity> = []

    package init(isEverything: Bool = false) {
        self.isEverything = isEverything
    }

    package static let everything = StateChanges(isEverything: true)

    package var isEmpty: Bool { self == StateChanges() }

    package mutating func formUnion(_ other: StateChanges) {
        self.isEverything = self.isEverything || other.isEverything
        self.endpoints.formUnion(other.endpoints)
        self.variants.formUnion(other.variants)
        self.runners.formUnion(other.runners)
        self.instances.formUnion(other.instances)
        self.parts.formUnion(other.parts)
    }
}
