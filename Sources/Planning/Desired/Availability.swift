internal import Schema

/// Names what a manifest may say but this version cannot do yet.
enum Availability {
    /// What a resource asks for and does not get, in words; nil when all of it can be done.
    static func obstacle(in resource: Resource, _ fields: UnavailableFields) -> String? {
        let obstacle: String? =
            switch resource.spec {
            case .policy(let policy): self.obstacle(in: policy)
            case .model, .dataset, .knowledgeBase, .featureTable, .promptTemplate, .chain, .endpoint, .overlay,
                .unavailable:
                resource.spec.sources.lazy.compactMap { self.obstacle(in: $0.source) }.first
            }
        return obstacle ?? self.refusal(fields.requests(of: resource))
    }

    /// The words for a kind that is checked but not carried out.
    static func refusal(of kind: Kind) -> String {
        self.refusal("the kind \(kind.rawValue)")
    }

    private static func obstacle(in source: ModelSpec.Source) -> String? {
        guard case .remote(let scheme, _)? = source.location else { return nil }
        return self.refusal("a source by \(scheme)://")
    }

    private static func obstacle(in policy: PolicySpec) -> String? {
        if !policy.evaluations.isEmpty { return self.refusal("spec.evaluations of a Policy") }
        guard policy.signatures.contains(where: { $0.minimum > 1 }) else { return nil }
        return self.refusal("a change that more than one signer must have signed")
    }

    private static func refusal(_ what: String) -> String {
        "\(what) is not available in this version"
    }

    /// All that is refused in one sentence, so that it can be mended at once; nil when nothing is.
    private static func refusal(_ requests: [String]) -> String? {
        guard let last = requests.last else { return nil }
        guard requests.count > 1 else { return self.refusal(last) }
        return requests.dropLast().joined(separator: ", ") + " and \(last) are not available in this version"
    }
}
