extension ResourceSpec {
    /// Decodes a complete value: one that passed the kind's ``Shape`` and has every default filled in.
    package init(kind: Kind, value: JSONValue) throws {
        let decoder = JSONValueDecoder()
        switch kind {
        case .model: self = .model(try decoder.decode(ModelSpec.self, from: value))
        case .promptTemplate: self = .promptTemplate(try decoder.decode(PromptTemplateSpec.self, from: value))
        case .chain: self = .chain(try decoder.decode(ChainSpec.self, from: value))
        case .endpoint: self = .endpoint(try decoder.decode(EndpointSpec.self, from: value))
        case .dataset: self = .dataset(try decoder.decode(DatasetSpec.self, from: value))
        case .policy: self = .policy(try decoder.decode(PolicySpec.self, from: value))
        case .overlay: self = .overlay(try decoder.decode(OverlaySpec.self, from: value))
        case .knowledgeBase: self = .knowledgeBase(try decoder.decode(KnowledgeBaseSpec.self, from: value))
        case .featureTable: self = .featureTable(try decoder.decode(FeatureTableSpec.self, from: value))
        case .monitor, .evaluation, .tenant, .receiver, .trigger, .batchJob, .streamJob, .cluster:
            self = .unavailable(value)
        }
    }
}

extension Resource {
    /// Makes a resource from a spec as a manifest would say it, defaults left out or not.
    ///
    /// The spec is not checked against the kind's declaration; it throws what decoding the typed spec throws.
    package convenience init(
        _ identity: ResourceIdentity,
        spec: JSONValue,
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        location: SourceLocation = SourceLocation(path: "", line: 1, column: 1),
        fieldLocations: [String: SourceLocation] = [:],
        origin: ResourceOrigin? = nil
    ) throws {
        let shape = identity.kind.shape
        self.init(
            identity: identity,
            labels: labels,
            annotations: annotations,
            spec: try ResourceSpec(kind: identity.kind, value: shape.complete(spec)),
            canonicalSpec: shape.canonical(spec),
            location: location,
            fieldLocations: fieldLocations,
            origin: origin
        )
    }
}
