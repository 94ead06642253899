package import Schema

/// What all manifests of a commit together say about one resource.
package struct ManifestFact: Sendable, Hashable {
    /// The resource, where it is declared once and without an error.
    package var resource: Resource?
    /// Whether it is declared with an error, or more than once.
    package var isBroken: Bool
    /// Whether nothing of it may be pruned: it is broken, or a file that cannot be read now declared it before.
    package var isRetained: Bool
    /// The first error about it.
    package var error: Diagnostic?

    package init(
        resource: Resource? = nil,
        isBroken: Bool = false,
        isRetained: Bool = false,
        error: Diagnostic? = nil
    ) {
        self.resource = resource
        self.isBroken = isBroken
        self.isRetained = isRetained
        self.error = error
    }
}

/// What differs between the manifests of two commits, or between nothing and the manifests of one.
package struct ManifestChanges: Sendable {
    /// Files of the repository whose content is not what it was.
    package enum Files: Sendable {
        /// Nobody knows which.
        case any
        /// New, changed or gone.
        case some(Set<String>)
    }

    /// What is known now of each resource of which something else may have been known before.
    package var facts: [ResourceIdentity: ManifestFact]
    /// Diagnostics of the manifests that stand no longer.
    package var removedDiagnostics: [Diagnostic]
    package var addedDiagnostics: [Diagnostic]
    package var files: Files

    package init(
        facts: [ResourceIdentity: ManifestFact] = [:],
        removedDiagnostics: [Diagnostic] = [],
        addedDiagnostics: [Diagnostic] = [],
        files: Files = .any
    ) {
        self.facts = facts
        self.removedDiagnostics = removedDiagnostics
        self.addedDiagnostics = addedDiagnostics
        self.files = files
    }
}
