/// Something wrong or doubtful inside one spec, by the field where it stands.
package struct Finding: Sendable, Hashable {
    /// Where at its field a finding points.
    package enum Place: Sendable, Hashable {
        case value
        /// The field's name.
        case key
        /// The first name in the field's value: something is missing there.
        case firstKey
    }

    package var severity: Diagnostic.Severity
    /// From the root of the document.
    package var path: FieldPath
    package var place: Place
    package var message: String

    package init(_ severity: Diagnostic.Severity, _ path: FieldPath, at place: Place = .value, _ message: String) {
        self.severity = severity
        self.path = path
        self.place = place
        self.message = message
    }

    /// Makes an error.
    package init(_ path: FieldPath, at place: Place = .value, _ message: String) {
        self.init(.error, path, at: place, message)
    }
}

extension Kind {
    /// What is wrong with a spec beyond the shape of its fields, as far as the document alone can tell.
    ///
    /// The spec may be incomplete: a value that its shape refused is null. `knownEngines` are the engines whose names raise no warning.
    package func findings(in spec: JSONValue, knownEngines: Set<String>) -> [Finding] {
        let root = FieldPath("spec")
        switch self {
        case .model: return ModelCheck(spec: spec, path: root, knownEngines: knownEngines).findings()
        case .promptTemplate: return PromptTemplateCheck(spec: spec, path: root).findings()
        case .chain: return ChainCheck(spec: spec, path: root).findings()
        case .endpoint: return EndpointCheck(spec: spec, path: root).findings()
        case .dataset: return SourceCheck.findings(spec["source"], at: root.field("source"))
        case .knowledgeBase:
            return LookupCheck.findings(inKnowledgeBase: spec, at: root)
        case .featureTable:
            return LookupCheck.findings(inFeatureTable: spec, at: root)
        case .monitor, .evaluation, .tenant, .receiver, .trigger, .batchJob, .streamJob, .policy, .cluster, .overlay:
            return ExpressionCheck.findings(in: spec, of: self.shape, at: root)
        }
    }
}
