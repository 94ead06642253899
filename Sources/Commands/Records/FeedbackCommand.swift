internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet feedback`: what was said of answers.
struct FeedbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feedback",
        abstract: "Say what answers were worth, and show what was said.",
        subcommands: [Add.self, List.self, Summary.self],
        defaultSubcommand: List.self
    )

    /// Joins feedback to a request's record.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Say what an answer was worth."
        )

        @Argument(help: "The request's id.")
        var id: String

        @Option(help: "Larger is better, by custom from 0 to 1.")
        var score: Double?

        @Option(help: "A word for the answer.")
        var label: String?

        @Option(help: "What there is to say.")
        var comment: String?

        @Option(help: "What the answer should have been: JSON, else taken as text.")
        var correction: String?

        @OptionGroup var controller: ControllerOptions

        func validate() throws {
            guard self.score != nil || self.label != nil || self.comment != nil || self.correction != nil else {
                throw ValidationError("give --score, --label, --comment or --correction")
            }
            if let score = self.score, !score.isFinite { throw ValidationError("--score is a number") }
        }

        func run() async throws {
            struct Body: Encodable {
                var score: Double?
                var label: String?
                var comment: String?
                var correction: JSONValue?
            }
            let body = Body(
                score: self.score,
                label: self.label,
                comment: self.comment,
                correction: self.correction.map { (try? JSONValue(parsing: $0)) ?? .string($0) }
            )
            let path = "requests/\(AdminClient.escape(self.id))/feedback"
            let feedback = try await self.controller.client().post(path, body, as: Feedback.self)
            try self.controller.show(feedback) { _ in
                "Feedback \(feedback.sequence) on \(feedback.requestID): \(FeedbackText.words(feedback))"
            } names: {
                ["\(feedback.sequence)"]
            }
        }
    }

    /// Shows feedback.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Show what was said, oldest first."
        )

        @Argument(help: "Only of this request.")
        var id: String?

        @Option(help: "Show at most this many of the newest.")
        var limit = 50

        @OptionGroup var controller: ControllerOptions

        func validate() throws {
            guard (1...10_000).contains(self.limit) else { throw ValidationError("--limit goes from 1 to 10000") }
        }

        func run() async throws {
            let path = self.id.map { "requests/\(AdminClient.escape($0))/feedback" } ?? "feedback"
            let all = try await self.controller.client().get("\(path)?limit=\(self.limit)", as: [Feedback].self)
            try self.controller.show(all) { _ in
                var table = TextTable(["TIME", "REQUEST", "BY", "FEEDBACK"], shortening: ["FEEDBACK"])
                for feedback in all {
                    table.add([
                        TimeText.render(feedback.at), feedback.requestID, feedback.by ?? "-",
                        FeedbackText.words(feedback),
                    ])
                }
                return all.isEmpty ? "No feedback." : table.render()
            } names: {
                all.map { "\($0.sequence)" }
            }
        }
    }

    /// Sums feedback up by endpoint and revision.
    struct Summary: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "summary",
            abstract: "Sum up what was said, by endpoint and revision."
        )

        @OptionGroup var controller: ControllerOptions

        func run() async throws {
            let client = try self.controller.client()
            let summaries = try await client.get("feedback/summary", as: [FeedbackSummary].self)
            try self.controller.show(summaries) { _ in
                var table = TextTable(["ENDPOINT", "REVISION", "FEEDBACK", "MEAN SCORE", "CORRECTIONS", "LABELS"])
                for summary in summaries {
                    let labels = summary.labels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                    table.add([
                        summary.variant.description, summary.revision.description, "\(summary.count)",
                        summary.meanScore.map { "\(($0 * 1000).rounded() / 1000)" } ?? "-", "\(summary.corrections)",
                        labels.isEmpty ? "-" : labels.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
                    ])
                }
                return summaries.isEmpty ? "No feedback." : table.render()
            } names: {
                summaries.map { "\($0.variant)#\($0.revision)" }
            }
        }
    }
}

/// Feedback in one line.
enum FeedbackText {
    static func words(_ feedback: Feedback) -> String {
        [
            feedback.score.map { "score \($0)" }, feedback.label.map { "label \($0)" },
            feedback.comment.map { "\"\($0)\"" }, feedback.correction.map { "correction \(TraceText.value($0))" },
        ].compactMap { $0.map { PlainText.line($0) } }.joined(separator: ", ")
    }
}
