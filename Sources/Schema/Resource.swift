/// A typed spec, by kind.
package enum ResourceSpec: Sendable, Hashable {
    case model(ModelSpec)
    case promptTemplate(PromptTemplateSpec)
    case chain(ChainSpec)
    case endpoint(EndpointSpec)
    case dataset(DatasetSpec)
    case policy(PolicySpec)
    /// A kind that parses and validates in full, whose feature is not available in this version.
    case unavailable(JSONValue)
}

/// One manifest document that passed every check which needs nothing but itself.
package struct Resource: Sendable, Hashable {
    package var identity: ResourceIdentity
    package var labels: [String: String]
    package var annotations: [String: String]
    package var spec: ResourceSpec
    /// The checked spec with every field that equals its default left out: what the digest is made of.
    package var canonicalSpec: JSONValue
    /// SHA-256 of kind and canonical spec.
    package var digest: Digest
    /// Where the document begins.
    package var location: SourceLocation
    /// Where each field that refers to something stands (`spec.serve.chain`, `spec.steps[0].prompt.model`), and the names of
    /// the variables that a step gives to its template (`spec.steps[0].with.message`).
    package var fieldLocations: [String: SourceLocation]
    let links: ResourceLinks

    package init(
        identity: ResourceIdentity,
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        spec: ResourceSpec,
        canonicalSpec: JSONValue,
        location: SourceLocation,
        fieldLocations: [String: SourceLocation] = [:]
    ) {
        self.identity = identity
        self.labels = labels
        self.annotations = annotations
        self.spec = spec
        self.canonicalSpec = canonicalSpec
        self.digest = Digest(canonical: ["kind": .string(identity.kind.rawValue), "spec": canonicalSpec])
        self.location = location
        self.fieldLocations = fieldLocations
        self.links = ResourceLinks(
            identity: identity,
            canonicalSpec: canonicalSpec,
            location: location,
            fieldLocations: fieldLocations
        )
    }
}
