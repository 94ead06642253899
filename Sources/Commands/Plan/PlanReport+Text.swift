internal import Planning
internal import Schema

extension PlanReport {
    /// The report for a terminal, where the errors stand on standard error.
    var text: String {
        var parts = [(["Plan \(self.heading)"] + [self.assumption].compactMap(\.self)).joined(separator: "\n")]
        parts += self.policyText
        if !self.changes.isEmpty {
            parts.append(PlanReport.section("Changes", self.changes.map { $0.summary }))
        }
        if !self.variants.isEmpty {
            var table = TextTable(["ENDPOINT", "FROM", "TO", "HOW", "WHY"])
            for change in self.variants {
                table.add([
                    change.variant.description, change.from?.description ?? "-", change.to?.description ?? "-",
                    change.how, change.why,
                ])
            }
            parts.append(table.render())
        }
        if !self.plan.steps.isEmpty {
            var table = TextTable(["STEP", "ACTION", "SUBJECT", "WHY"])
            for (index, step) in self.plan.steps.enumerated() {
                table.add([String(index + 1), step.action.word, step.action.subject, step.reason])
            }
            parts.append(table.render())
        }
        parts += self.remarks
        if self.isConverged, self.errors.isEmpty { parts.append("Nothing to do.") }
        for report in self.proposed {
            parts.append(report.text)
            if !report.errors.isEmpty { parts.append(PlanReport.section("Errors", report.errors.map(\.description))) }
        }
        return parts.joined(separator: "\n\n")
    }

    private var remarks: [String] {
        var parts: [String] = []
        if !self.plan.guarded.isEmpty {
            parts.append(PlanReport.section("Guarded", self.plan.guarded.map(\.message)))
        }
        if !self.plan.obstacles.isEmpty {
            parts.append(PlanReport.section("Not in force", self.plan.obstacles))
        }
        if !self.plan.waits.isEmpty {
            parts.append(PlanReport.section("Waits", self.plan.waits.map { "\($0.subject): \($0.reason)" }))
        }
        if let memory = self.memory, !self.plan.steps.isEmpty {
            parts.append(PlanReport.section("Memory", memory.sentences))
        }
        if !self.notApplied.isEmpty {
            parts.append(PlanReport.section("Not applied", self.notApplied.map { "\($0.location): \($0.message)" }))
        }
        return parts
    }

    static func section(_ title: String, _ lines: [String]) -> String {
        ([title] + lines.map { "  " + PlainText.line($0) }).joined(separator: "\n")
    }
}

extension ResourceChange {
    /// `~ PromptTemplate/default/reply (prompts/reply.yaml): spec.messages[0].content`.
    var summary: String {
        "\(self.verb.sign) \(self.resource) (\(self.location.path))"
            + (self.fields.isEmpty ? "" : ": " + self.fieldNames.joined(separator: ", "))
    }

    /// At most five of the fields, and how many more there are.
    var fieldNames: [String] {
        let names = self.fields.map(\.path)
        return names.count <= 5 ? names : names.prefix(5) + ["and \(names.count - 5) more"]
    }
}

extension PlanReport.VariantChange {
    /// The reason, and by which other resources the endpoint comes to what changed.
    var why: String {
        guard !self.path.isEmpty else { return self.reason }
        return "\(self.reason), by way of \(self.path.map(\.description).joined(separator: " -> "))"
    }

    /// The verb, with the strategy where there is one: `rolls (immediate)`.
    var how: String {
        self.verb.rawValue + (self.strategy.map { " (\($0.rawValue))" } ?? "")
    }
}
