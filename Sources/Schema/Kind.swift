/// The kinds of resource that a manifest can declare.
package enum Kind: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    case model = "Model"
    case promptTemplate = "PromptTemplate"
    case chain = "Chain"
    case endpoint = "Endpoint"
    case dataset = "Dataset"
    case monitor = "Monitor"
    case evaluation = "Evaluation"
    case knowledgeBase = "KnowledgeBase"
    case featureTable = "FeatureTable"
    case tenant = "Tenant"
    case receiver = "Receiver"
    case trigger = "Trigger"
    case batchJob = "BatchJob"
    case streamJob = "StreamJob"
    case policy = "Policy"
    case cluster = "Cluster"
    case overlay = "Overlay"

    /// The plural, lower-case word of the command line: `martlet get endpoints`.
    package var plural: String {
        switch self {
        case .policy: "policies"
        case .model, .promptTemplate, .chain, .endpoint, .dataset, .monitor, .evaluation, .knowledgeBase,
            .featureTable, .tenant, .receiver, .trigger, .batchJob, .streamJob, .cluster, .overlay:
            self.rawValue.lowercased() + "s"
        }
    }

    /// Reads a kind as a person types it: `Endpoint`, `endpoint` or `endpoints`.
    package init?(word: String) {
        let word = word.lowercased()
        guard let kind = Kind.allCases.first(where: { $0.rawValue.lowercased() == word || $0.plural == word }) else {
            return nil
        }
        self = kind
    }

    package static func < (lhs: Kind, rhs: Kind) -> Bool {
        lhs.rawValue < rhs.rawValue
    }
}
