extension Kind {
    /// The declaration of this kind's `spec`.
    package var shape: Shape {
        switch self {
        case .model: .model
        case .promptTemplate: .promptTemplate
        case .chain: .chain
        case .endpoint: .endpoint
        case .dataset: .dataset
        case .monitor: .monitor
        case .evaluation: .evaluation
        case .knowledgeBase: .knowledgeBase
        case .featureTable: .featureTable
        case .tenant: .tenant
        case .receiver: .receiver
        case .trigger: .trigger
        case .batchJob: .batchJob
        case .streamJob: .streamJob
        case .policy: .policy
        case .cluster: .cluster
        case .overlay: .overlay
        }
    }

    /// One sentence for readers of the reference.
    package var summary: String {
        switch self {
        case .model: "Something that answers: weights and the engine that runs them, or a server elsewhere."
        case .promptTemplate: "A prompt as code and its examples as data."
        case .chain: "A graph of steps, versioned as one artifact."
        case .endpoint: "Where people call."
        case .dataset: "Rows in the repository or elsewhere."
        case .monitor: "What must stay true about an endpoint."
        case .evaluation: "A test set with a bar."
        case .knowledgeBase: "Documents, cut into pieces, embedded and indexed for retrieval."
        case .featureTable: "Rows that a chain looks up by key."
        case .tenant: "A customer with keys and quotas."
        case .receiver: "Where alerts go."
        case .trigger: "A webhook that is fired with evidence, for instance to start a retraining pipeline."
        case .batchJob: "A dataset in, an endpoint, a dataset out."
        case .streamJob: "A Redis stream in, an endpoint, a Redis stream out."
        case .policy: "Who may change what, and how far."
        case .cluster: "An existing distributed engine for endpoints that outgrow one machine."
        case .overlay: "Other directories of the repository with patches merged in."
        }
    }
}

/// What every manifest says around its `spec`.
package enum ManifestEnvelope {
    /// The one `apiVersion` that this version reads.
    package static let apiVersion = "martlet.dev/v1"
    /// What the `apiVersion` of every manifest of ours begins with.
    package static let group = "martlet.dev"

    package static let metadata = ObjectShape([
        .required("name", .format(.label), "The name of the resource, unique among its kind and namespace."),
        .optional("namespace", .format(.label), "The namespace; without one, the controller's default."),
        .optional("labels", .map(.string), "Words to select resources by."),
        .optional("annotations", .map(.string), "Notes for people and programs."),
    ])

}

extension Kind {
    /// The declaration of a whole document of this kind.
    package var documentShape: ObjectShape {
        ManifestEnvelope.documents[self] ?? ManifestEnvelope.document(of: self)
    }
}

extension ManifestEnvelope {
    fileprivate static let documents = Dictionary(
        uniqueKeysWithValues: Kind.allCases.map { ($0, ManifestEnvelope.document(of: $0)) }
    )

    fileprivate static func document(of kind: Kind) -> ObjectShape {
        ObjectShape([
            .required("apiVersion", .word([self.apiVersion]), "The version of this language."),
            .required("kind", .word([kind.rawValue]), kind.summary),
            .required("metadata", .object(self.metadata), "What the resource is called."),
            .required("spec", kind.shape, "What is wanted."),
        ])
    }
}
