internal import GRDB
package import Planning
internal import Schema

extension SQLiteRecordStore {
    package func add(
        _ feedback: Feedback,
        if mayJoin: @escaping @Sendable (RequestRecord) -> Bool
    ) async throws -> Feedback {
        try await self.catchUp()
        return try await self.working {
            try self.inTransaction { database in
                let sql = """
                    SELECT records.* FROM catalogue JOIN records USING (sequence)
                    WHERE catalogue.id = ? ORDER BY sequence DESC
                    """
                let rows = try Row.fetchCursor(database, sql: sql, arguments: [feedback.requestID])
                while let row = try rows.next() {
                    let record = try RequestRecord(stored: row)
                    guard mayJoin(record) else { continue }
                    return try Self.join(feedback, to: record, row, database)
                }
                throw MartletError("NotFound", "there is no record of a request '\(feedback.requestID.shortened)'")
            }
        }
    }

    private static func join(
        _ feedback: Feedback,
        to record: RequestRecord,
        _ row: Row,
        _ database: Database
    ) throws -> Feedback {
        let rules = (row["redacted"] as String).split(separator: " ").compactMap {
            EndpointSpec.Log.Redaction(rawValue: String($0))
        }
        var stored = feedback.redacted(Redactor(rules))
        try database.execute(
            sql: "INSERT INTO feedback (record, request_id, at, variant, revision, feedback) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                row["sequence"] as Int64, feedback.requestID, feedback.at.milliseconds, record.variant.description,
                record.revision.digest.hex, try StoredJSON.encode(stored),
            ]
        )
        stored.sequence = database.lastInsertedRowID
        return stored
    }

    package func feedback(of id: String?, limit: Int) async throws -> [Feedback] {
        try await self.reading { database in
            let condition = id == nil ? "" : "WHERE request_id = ?"
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT sequence, feedback FROM feedback \(condition) ORDER BY sequence DESC LIMIT ?",
                arguments: StatementArguments(id.map { [$0] } ?? []) + [max(0, limit)]
            )
            return try rows.reversed().map { row in
                var feedback = try StoredJSON.decode(Feedback.self, row["feedback"], in: "feedback")
                feedback.sequence = row["sequence"]
                return feedback
            }
        }
    }

    package func feedbackSummaries(since: Timestamp?) async throws -> [FeedbackSummary] {
        try await self.reading { database in
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT variant, revision, feedback FROM feedback WHERE at >= ? ORDER BY variant, revision",
                arguments: [since?.milliseconds ?? .min]
            )
            var summaries: [FeedbackSummary] = []
            var scores = 0
            while let row = try rows.next() {
                let variant = try StoredJSON.key(VariantID(row["variant"]), row["variant"], in: "feedback")
                let digest = try StoredJSON.key(Digest(hex: row["revision"]), row["revision"], in: "feedback")
                if summaries.last?.variant != variant || summaries.last?.revision != Revision(digest) {
                    summaries.append(FeedbackSummary(of: variant, Revision(digest)))
                    scores = 0
                }
                let feedback = try StoredJSON.decode(Feedback.self, row["feedback"], in: "feedback")
                summaries[summaries.count - 1].add(feedback, scores: &scores)
            }
            return summaries
        }
    }
}

extension Feedback {
    fileprivate func redacted(_ redactor: Redactor) -> Feedback {
        var feedback = self
        feedback.label = feedback.label.map(redactor.redact)
        feedback.comment = feedback.comment.map(redactor.redact)
        feedback.correction = feedback.correction.map(redactor.redact)
        return feedback
    }
}

extension FeedbackSummary {
    fileprivate init(of variant: VariantID, _ revision: Revision) {
        self.init(variant: variant, revision: revision, count: 0, meanScore: nil, labels: [:], corrections: 0)
    }

    /// - Parameter scores: how many were counted in the mean so far.
    fileprivate mutating func add(_ feedback: Feedback, scores: inout Int) {
        self.count += 1
        if let label = feedback.label { self.labels[label, default: 0] += 1 }
        if feedback.correction != nil { self.corrections += 1 }
        guard let score = feedback.score else { return }
        scores += 1
        let mean = self.meanScore ?? 0
        self.meanScore = mean + (score - mean) / Double(scores)
    }
}
