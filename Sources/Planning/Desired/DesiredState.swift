package import Schema

/// What one commit asks for, resolved and checked: the planner's first input.
package struct DesiredState: Sendable, Hashable {
    /// Why a resource is not applied, and what to mend.
    package struct Blocker: Sendable, Hashable, Codable {
        /// The resource that is at fault; the blocked one itself when its own document is broken.
        package var resource: ResourceIdentity
        package var message: String
        /// One UpperCamelCase word: `ManifestInvalid`, `ResourceMissing`, `ArtifactMissing`, `NotAvailable`,
        /// `PolicyViolation`.
        package var word: String

        package init(resource: ResourceIdentity, message: String, word: String = "ManifestInvalid") {
            self.resource = resource
            self.message = message
            self.word = word
        }

        /// The word as the blocked resource shows it.
        package func word(for blocked: ResourceIdentity) -> String {
            self.resource == blocked ? self.word : "DependencyBlocked"
        }
    }

    package var commit: CommitSummary
    /// Every resource of the commit that could be read.
    package var resources: [ResourceIdentity: Resource]
    /// All that is wrong with the commit, sorted by place.
    package var diagnostics: [Diagnostic]
    /// The variants that can be rolled out. A blocked endpoint has none here and keeps its promoted revision.
    package var variants: [VariantID: RevisionGraph]
    /// Of every endpoint whose own document is valid, blocked or not.
    package var settings: [ResourceIdentity: EndpointSettings]
    package var blocked: [ResourceIdentity: Blocker]
    /// Declared before by files that cannot be read now: not to be pruned.
    package var retained: Set<ResourceIdentity>
    /// What the policies in force say about ``resources``.
    package var policyReview: PolicyReview
    /// Removals that a person has to confirm first: nothing of theirs is pruned.
    package var guarded: [PruneStop]

    package init(
        commit: CommitSummary,
        resources: [ResourceIdentity: Resource] = [:],
        diagnostics: [Diagnostic] = [],
        variants: [VariantID: RevisionGraph] = [:],
        settings: [ResourceIdentity: EndpointSettings] = [:],
        blocked: [ResourceIdentity: Blocker] = [:],
        retained: Set<ResourceIdentity> = [],
        policyReview: PolicyReview = PolicyReview(),
        guarded: [PruneStop] = []
    ) {
        self.commit = commit
        self.resources = resources
        self.diagnostics = diagnostics
        self.variants = variants
        self.settings = settings
        self.blocked = blocked
        self.retained = retained
        self.policyReview = policyReview
        self.guarded = guarded
    }
}
