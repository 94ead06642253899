internal import Planning
internal import Schema

/// A request as a tree of its steps, with bars for their times.
struct TraceText {
    /// Characters of a bar that lasts as long as the request.
    private static let barWidth = 24
    /// Of a value that is shown in part.
    private static let valueLimit = 160

    private let record: RequestRecord
    private let isWide: Bool
    private var rows: [Row] = []

    private enum Row {
        case step(label: String, status: String, time: String, bar: String)
        case detail(String)
    }

    /// - Parameter wide: whether inputs and outputs of steps are shown too.
    static func render(_ record: RequestRecord, _ feedback: [Feedback], wide: Bool) -> String {
        var text = TraceText(record: record, isWide: wide)
        text.add(record.steps, prefix: "")
        return (text.head + text.lines + feedback.map(TraceText.line)).joined(separator: "\n")
    }

    private init(record: RequestRecord, isWide: Bool) {
        self.record = record
        self.isWide = isWide
    }

    private var head: [String] {
        let record = self.record
        var facts = [
            "request \(PlainText.line(record.id))",
            "\(record.operation.rawValue) of \(record.variant) at \(TimeText.render(record.startedAt)), "
                + "by \(record.tenant.map { "tenant \($0)" } ?? "nobody known")",
            "revision \(record.revision) of commit \(CommitSet.words(for: record.commit))"
                + (record.isRecording ? ", answered by a recording" : "")
                + (record.replayOf.map { ", replays \(PlainText.line($0))" } ?? ""),
            "\(record.status) after \(TraceText.time(record.microseconds)), "
                + "\(record.usage.promptTokens) + \(record.usage.completionTokens) tokens",
        ]
        if let message = record.errorMessage { facts.append("error: \(PlainText.line(message))") }
        if let input = record.input { facts.append("input  \(TraceText.value(input))") }
        if let output = record.output { facts.append("output \(TraceText.value(output))") }
        return facts
    }

    private mutating func add(_ steps: [StepRecord], prefix: String) {
        for (index, step) in steps.enumerated() {
            let isLast = index == steps.count - 1
            let inner = prefix + (isLast ? "   " : "│  ")
            self.rows.append(
                .step(
                    label: prefix + (isLast ? "└─ " : "├─ ") + PlainText.line("\(step.name) (\(step.type))"),
                    status: step.status.rawValue,
                    time: step.status == .skipped ? "-" : TraceText.time(step.microseconds),
                    bar: step.status == .skipped ? "" : self.bar(of: step)
                )
            )
            let mark = inner + (step.children.isEmpty ? "   " : "│  ")
            self.rows += self.details(of: step).map { .detail(mark + PlainText.line($0)) }
            self.add(step.children, prefix: inner)
        }
    }

    private func details(of step: StepRecord) -> [String] {
        var details: [String] = []
        if let model = step.model { details.append("model \(model.resource) \(model.digest.prefix(10))") }
        if let template = step.template {
            details.append("template \(template.resource) \(template.digest.prefix(10))")
        }
        if step.attempts > 1 { details.append("\(step.attempts) attempts") }
        if let usage = step.usage { details.append("\(usage.promptTokens) + \(usage.completionTokens) tokens") }
        for passage in step.passages {
            details.append("found \(passage.document) \(passage.start)–\(passage.end) (\(passage.score))")
        }
        for fired in step.guards {
            details.append("guard \(fired.place) \(fired.rule): \(fired.action): \(fired.detail)")
        }
        if let code = step.errorCode {
            details.append("error \(code)" + (step.errorMessage.map { ": \($0)" } ?? ""))
        }
        if self.isWide, let input = step.input { details.append("input  \(TraceText.value(input))") }
        if self.isWide, let output = step.output { details.append("output \(TraceText.value(output))") }
        return details
    }

    /// Where the step lies in the request's time.
    private func bar(of step: StepRecord) -> String {
        let total = max(1, Double(self.record.microseconds))
        func place(_ microseconds: Int64) -> Int {
            min(Self.barWidth, max(0, Int((Double(microseconds) / total * Double(Self.barWidth)).rounded())))
        }
        let start = min(place(step.startMicroseconds), Self.barWidth - 1)
        let end = max(place(step.startMicroseconds + step.microseconds), start + 1)
        return "▕" + String(repeating: " ", count: start) + String(repeating: "█", count: end - start)
            + String(repeating: " ", count: Self.barWidth - end) + "▏"
    }

    /// The rows, aligned.
    private var lines: [String] {
        var (labelWidth, statusWidth, timeWidth) = (0, 0, 0)
        for case .step(let label, let status, let time, _) in self.rows {
            labelWidth = max(labelWidth, label.count)
            statusWidth = max(statusWidth, status.count)
            timeWidth = max(timeWidth, time.count)
        }
        return self.rows.map { row in
            switch row {
            case .detail(let text): return text
            case .step(let label, let status, let time, let bar):
                func pad(_ text: String, _ width: Int) -> String { String(repeating: " ", count: width - text.count) }
                let line = label + pad(label, labelWidth) + "  " + status + pad(status, statusWidth) + "  "
                return line + pad(time, timeWidth) + time + (bar.isEmpty ? "" : "  \(bar)")
            }
        }
    }

    private static func line(_ feedback: Feedback) -> String {
        "feedback \(TimeText.render(feedback.at)) " + FeedbackText.words(feedback)
    }

    /// `850 µs`, `12.5 ms`, `3.21 s`.
    static func time(_ microseconds: Int64) -> String {
        switch microseconds {
        case ..<1000: "\(microseconds) µs"
        case ..<1_000_000: "\((Double(microseconds) / 100).rounded() / 10) ms"
        default: "\((Double(microseconds) / 10_000).rounded() / 100) s"
        }
    }

    /// A value as JSON, cut where it is long.
    static func value(_ value: JSONValue) -> String {
        let text = PlainText.line(value.canonicalJSON)
        return text.count > Self.valueLimit ? text.prefix(Self.valueLimit) + "…" : text
    }
}
