extension ResourceSpec {
    /// A field that names bytes outside of manifests.
    package struct NamedSource: Sendable, Hashable {
        package var source: ModelSpec.Source
        /// `spec.source`, `spec.documents[0].source`.
        package var field: String
        /// What may be a folder of documents; nil for what is one file.
        package var documents: KnowledgeBaseSpec.Documents?
    }

    /// Everything outside of manifests that the spec itself names, in the order of its fields.
    package var sources: [NamedSource] {
        switch self {
        case .model(let spec):
            [spec.source].compactMap(\.self).map { NamedSource(source: $0, field: "spec.source") }
                + spec.adapters.enumerated().map { index, adapter in
                    NamedSource(source: adapter.source, field: "spec.adapters[\(index)].source")
                }
        case .dataset(let spec):
            [NamedSource(source: spec.source, field: "spec.source")]
        case .knowledgeBase(let spec):
            spec.documents.enumerated().compactMap { index, documents in
                documents.source.map {
                    NamedSource(source: $0, field: "spec.documents[\(index)].source", documents: documents)
                }
            }
        case .featureTable(let spec):
            [spec.sqlite].compactMap(\.self).map { NamedSource(source: $0.source, field: "spec.sqlite.source") }
        case .promptTemplate, .chain, .endpoint, .policy, .overlay, .unavailable:
            []
        }
    }
}
