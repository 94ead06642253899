package import Schema

/// What is written down of one request: where it went, what became of it, and every step on the way.
package struct RequestRecord: Sendable, Hashable, Codable {
    /// What was asked for.
    package enum Operation: String, Sendable, Hashable, Codable, CaseIterable {
        case chat
        case completion
        case embeddings
        case chain
        case tensors
    }

    /// `x-request-id`, accepted or made; nothing keeps callers from giving the same one twice.
    package var id: String
    package var startedAt: Timestamp
    /// From the request's arrival to the end of its answer.
    package var microseconds: Int64
    package var operation: Operation
    package var variant: VariantID
    /// Who asked; nil: nobody that is known.
    package var tenant: String?
    package var revision: Revision
    package var commit: ObjectID
    /// Whether a recording gave the answer.
    package var isRecording: Bool
    /// The request that this one repeats.
    package var replayOf: String?
    /// `ok`, `cancelled`, or why it was not answered: a code such as `queueFull`.
    package var status: String
    package var errorMessage: String?
    package var usage: TokenUsage
    /// As the operation takes it; nil where payloads are not kept.
    package var input: JSONValue?
    /// What the caller set beside the input, such as `temperature`; nil for nothing.
    package var parameters: JSONValue?
    /// Nil where there was none, or where payloads are not kept.
    package var output: JSONValue?
    /// In the order in which they began. A bare model is one step, whose input and output are the request's.
    package var steps: [StepRecord]
    /// W3C's `traceparent`, as the request brought it along.
    package var traceParent: String?

    package init(
        id: String,
        startedAt: Timestamp,
        microseconds: Int64 = 0,
        operation: Operation,
        variant: VariantID,
        tenant: String? = nil,
        revision: Revision,
        commit: ObjectID,
        isRecording: Bool = false,
        replayOf: String? = nil,
        status: String = RequestRecord.ok,
        errorMessage: String? = nil,
        usage: TokenUsage = TokenUsage(),
        input: JSONValue? = nil,
        parameters: JSONValue? = nil,
        output: JSONValue? = nil,
        steps: [StepRecord] = [],
        traceParent: String? = nil
    ) {
        self.id = id
        self.startedAt = startedAt
        self.microseconds = microseconds
        self.operation = operation
        self.variant = variant
        self.tenant = tenant
        self.revision = revision
        self.commit = commit
        self.isRecording = isRecording
        self.replayOf = replayOf
        self.status = status
        self.errorMessage = errorMessage
        self.usage = usage
        self.input = input
        self.parameters = parameters
        self.output = output
        self.steps = steps
        self.traceParent = traceParent
    }

    /// The status of a request that was answered.
    package static let ok = "ok"
    /// The status of a request whose caller left.
    package static let cancelled = "cancelled"
}
