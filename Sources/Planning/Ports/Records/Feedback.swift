package import Schema

/// What somebody says of an answer afterwards.
package struct Feedback: Sendable, Hashable, Codable {
    /// Counts up over all feedback; 0 before it is stored.
    package var sequence: Int64
    /// The request that it is about.
    package var requestID: String
    package var at: Timestamp
    /// The tenant who says it, or the operator; nil: nobody that is known.
    package var by: String?
    /// Larger is better; by custom 0 to 1.
    package var score: Double?
    /// What the answer should have been called: a class, `good`, `wrong-tone`.
    package var label: String?
    package var comment: String?
    /// What the answer should have been.
    package var correction: JSONValue?

    package init(
        sequence: Int64 = 0,
        requestID: String,
        at: Timestamp,
        by: String? = nil,
        score: Double? = nil,
        label: String? = nil,
        comment: String? = nil,
        correction: JSONValue? = nil
    ) {
        self.sequence = sequence
        self.requestID = requestID
        self.at = at
        self.by = by
        self.score = score
        self.label = label
        self.comment = comment
        self.correction = correction
    }

    /// Whether it says anything at all.
    package var isEmpty: Bool {
        self.score == nil && self.label == nil && self.comment == nil && self.correction == nil
    }
}

/// What was said of one revision's answers.
package struct FeedbackSummary: Sendable, Hashable, Codable {
    package var variant: VariantID
    package var revision: Revision
    package var count: Int
    /// Of those with a score; nil where none has one.
    package var meanScore: Double?
    /// How often each label was given.
    package var labels: [String: Int]
    package var corrections: Int

    package init(
        variant: VariantID,
        revision: Revision,
        count: Int,
        meanScore: Double?,
        labels: [String: Int],
        corrections: Int
    ) {
        self.variant = variant
        self.revision = revision
        self.count = count
        self.meanScore = meanScore
        self.labels = labels
        self.corrections = corrections
    }
}
