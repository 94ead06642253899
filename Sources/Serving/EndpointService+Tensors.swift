package import Planning
internal import Schema

/// A request for tensors.
package struct TensorRequest: Sendable {
    /// All that the model takes, in any order.
    package var inputs: [Tensor]
    /// The names of the outputs to compute; all, in the model's order, where none is named.
    package var outputs: [String]
    package var priority: RequestPriority
    /// How long the request may take, waiting included; nil: as long as the endpoint's `limits.timeout` allows, which
    /// holds in any case.
    package var timeout: Duration?

    package init(
        inputs: [Tensor],
        outputs: [String] = [],
        priority: RequestPriority = .normal,
        timeout: Duration? = nil
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.priority = priority
        self.timeout = timeout
    }
}

/// The tensors that a request asked for, in the order of their names.
package struct TensorAnswer: Sendable {
    package var stamp: AnswerStamp
    package var outputs: [Tensor]

    package init(stamp: AnswerStamp, outputs: [Tensor]) {
        self.stamp = stamp
        self.outputs = outputs
    }
}

/// What an endpoint says of itself.
package struct ModelMetadata: Sendable, Hashable {
    /// The revision that this is about.
    package var revision: Revision
    /// Those that serve for this caller, the one with the most traffic first.
    package var versions: [Revision]
    /// The engine of the model; `chain` for an endpoint that serves a chain.
    package var engine: String
    /// What the model takes and gives; nil where it is no model of tensors.
    package var tensors: TensorSignature?
    /// Whether the endpoint writes text.
    package var generates: Bool
    /// The width of its embeddings, in floats; nil where it gives none.
    package var embeddingWidth: Int?

    package init(
        revision: Revision,
        versions: [Revision],
        engine: String,
        tensors: TensorSignature?,
        generates: Bool,
        embeddingWidth: Int?
    ) {
        self.revision = revision
        self.versions = versions
        self.engine = engine
        self.tensors = tensors
        self.generates = generates
        self.embeddingWidth = embeddingWidth
    }
}

/// Whether an endpoint answers.
package struct EndpointReadiness: Sendable, Hashable {
    package var name: EndpointName
    /// The revision with the most traffic; nil where none serves.
    package var revision: Revision?
    package var isReady: Bool
    /// Why it does not answer; empty where it does.
    package var reason: String

    package init(name: EndpointName, revision: Revision?, isReady: Bool, reason: String) {
        self.name = name
        self.revision = revision
        self.isReady = isReady
        self.reason = reason
    }
}
