internal import Planning
internal import Schema

/// Finds endpoints that are sound, and may be an oversight all the same.
enum EndpointAdvice {
    /// A warning for each endpoint that answers nobody, and for each whose `batching` nothing goes by.
    static func diagnostics(of desired: DesiredState) -> [Diagnostic] {
        desired.resources.values.flatMap { resource -> [Diagnostic] in
            guard case .endpoint(let spec) = resource.spec else { return [] }
            let served = desired.variants[VariantID(defaultOf: resource.identity)]
            let advice = [self.access(of: spec), served.flatMap { self.batching(of: spec, $0) }]
            return advice.compactMap(\.self).map {
                Diagnostic(.warning, at: resource.location, $0, resource: resource.identity)
            }
        }
    }

    /// Nobody may call it: right while it is being prepared.
    private static func access(of spec: EndpointSpec) -> String? {
        if let access = spec.access, access.anonymous || !access.tenants.isEmpty { return nil }
        return "nobody may call this endpoint; spec.access says who may: 'access: {anonymous: true}' lets all in"
    }

    /// Its `batching` is for models of tensors that run here, and it serves something else.
    private static func batching(of spec: EndpointSpec, _ served: RevisionGraph) -> String? {
        guard spec.batching != nil else { return nil }
        let reason =
            switch served.chains.isEmpty ? served.models.first?.instance.engine : nil {
            case nil: "prompts share the batches of their language models, up to the models' option 'slots'"
            case "llama": "a language model batches whatever requests there are, up to its option 'slots'"
            case "openai", "inference": "the server elsewhere batches by its own rules"
            case "replay": "recordings compute nothing"
            case _?: nil as String?
            }
        return reason.map { "spec.batching has no effect on this endpoint: \($0); leave it out" }
    }
}
