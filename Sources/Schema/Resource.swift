/// A typed spec, by kind.
package indirect enum ResourceSpec: Sendable, Hashable {
    case model(ModelSpec)
    case promptTemplate(PromptTemplateSpec)
    case chain(ChainSpec)
    case endpoint(EndpointSpec)
    case dataset(DatasetSpec)
    case policy(PolicySpec)
    case overlay(OverlaySpec)
    case knowledgeBase(KnowledgeBaseSpec)
    case featureTable(FeatureTableSpec)
    /// A kind that parses and validates in full, whose feature is not available in this version.
    case unavailable(JSONValue)
}

/// The overlay that a resource came through.
///
/// Few resources have one, and all of them have room for it: a reference is the smallest.
package final class ResourceOrigin: Sendable {
    /// The outermost of them.
    package let overlay: ResourceIdentity
    /// Where that overlay begins.
    package let location: SourceLocation
    /// Whether a patch changed the resource.
    package let isPatched: Bool

    package init(overlay: ResourceIdentity, location: SourceLocation, isPatched: Bool) {
        self.overlay = overlay
        self.location = location
        self.isPatched = isPatched
    }
}

extension ResourceOrigin: Equatable {
    package static func == (lhs: ResourceOrigin, rhs: ResourceOrigin) -> Bool {
        (lhs.overlay, lhs.location, lhs.isPatched) == (rhs.overlay, rhs.location, rhs.isPatched)
    }
}

/// One manifest document that passed every check which needs nothing but itself.
///
/// Immutable, so that all who know a resource share one.
package final class Resource: Sendable {
    package let identity: ResourceIdentity
    package let labels: [String: String]
    package let annotations: [String: String]
    package let spec: ResourceSpec
    /// The checked spec with every field that equals its default left out: what the digest is made of.
    package let canonicalSpec: JSONValue
    /// SHA-256 of kind and canonical spec.
    package let digest: Digest
    /// Where the document begins.
    package let location: SourceLocation
    /// Where each field that refers to something stands (`spec.serve.chain`, `spec.steps[0].prompt.model`), and the names of
    /// the variables that a step gives to its template (`spec.steps[0].with.message`).
    package let fieldLocations: [String: SourceLocation]
    /// The overlay that the resource came through; nil where it stands for itself.
    package let origin: ResourceOrigin?
    let links: ResourceLinks

    package init(
        identity: ResourceIdentity,
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        spec: ResourceSpec,
        canonicalSpec: JSONValue,
        location: SourceLocation,
        fieldLocations: [String: SourceLocation] = [:],
        origin: ResourceOrigin? = nil
    ) {
        self.identity = identity
        self.labels = labels
        self.annotations = annotations
        self.spec = spec
        self.canonicalSpec = canonicalSpec
        self.digest = Digest(canonical: ["kind": .string(identity.kind.rawValue), "spec": canonicalSpec])
        self.location = location
        self.fieldLocations = fieldLocations
        self.origin = origin
        self.links = ResourceLinks(
            identity: identity,
            canonicalSpec: canonicalSpec,
            location: location,
            fieldLocations: fieldLocations
        )
    }

    /// The same resource as it came through an overlay, which adds labels.
    package func through(_ origin: ResourceOrigin, adding labels: [String: String]) -> Resource {
        Resource(
            identity: self.identity,
            labels: self.labels.merging(labels) { $1 },
            annotations: self.annotations,
            spec: self.spec,
            canonicalSpec: self.canonicalSpec,
            location: self.location,
            fieldLocations: self.fieldLocations,
            origin: origin
        )
    }

    /// Where the document begins, and the overlay that it came through: `base/m.yaml:1:1 through Overlay/a/b`.
    package var place: String {
        guard let origin = self.origin else { return self.location.description }
        return "\(self.location) through \(origin.overlay) at \(origin.location)"
    }
}

extension Resource: Hashable {
    /// What a spec says is compared by its digest.
    package static func == (lhs: Resource, rhs: Resource) -> Bool {
        lhs === rhs
            || lhs.digest == rhs.digest && lhs.identity == rhs.identity && lhs.labels == rhs.labels
                && lhs.annotations == rhs.annotations && lhs.location == rhs.location
                && lhs.fieldLocations == rhs.fieldLocations && lhs.origin == rhs.origin
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.identity)
        hasher.combine(self.digest)
    }
}
