internal import Planning
internal import Schema

extension PlanReport {
    /// The report as a comment on a pull request.
    var markdown: String {
        var parts = ["### Martlet plan \(Markdown.prose(self.heading))", Markdown.prose(self.headline)]
        let errors = self.errorsBesidePolicies
        if !errors.isEmpty {
            parts.append("**Errors**\n\n" + PlanReport.list(errors))
        }
        parts += self.policyMarkdown
        if !self.plan.guarded.isEmpty {
            let guarded = self.plan.guarded.map { "- \(Markdown.prose($0.message))" }
            parts.append("**Guarded**\n\n" + guarded.joined(separator: "\n"))
        }
        if !self.variants.isEmpty {
            parts.append(
                Markdown.table(
                    ["Endpoint", "From", "To", "How", "Why"],
                    self.variants.map { change in
                        [
                            Markdown.code(change.variant.description), Markdown.code(change.from?.description),
                            Markdown.code(change.to?.description), Markdown.prose(change.how),
                            Markdown.prose(change.why),
                        ]
                    }
                )
            )
        }
        if !self.changes.isEmpty {
            parts.append(
                Markdown.table(
                    ["", "Resource", "File", "Fields"],
                    self.changes.map { change in
                        let fields = change.fieldNames.map { $0.hasPrefix("and ") ? $0 : Markdown.code($0) }
                        return [
                            change.verb.rawValue, Markdown.code("\(change.resource)"),
                            Markdown.code(change.location.path), fields.joined(separator: ", "),
                        ]
                    }
                )
            )
        }
        parts += self.details
        parts += self.proposed.map(\.markdown)
        return parts.joined(separator: "\n\n")
    }

    /// `1 endpoint starts, 2 endpoints roll.`, and what the plan rests on.
    private var headline: String {
        let verbs: [(verb: VariantChange.Verb, one: String, many: String)] = [
            (.starts, "starts", "start"), (.rolls, "rolls", "roll"),
            (.settings, "changes settings", "change settings"), (.leaves, "leaves", "leave"),
        ]
        let words = verbs.compactMap { verb, one, many -> String? in
            let count = self.variants.count { $0.verb == verb }
            return count == 0 ? nil : "\(Counted.words(count, "endpoint")) \(count == 1 ? one : many)"
        }
        var sentences = words.isEmpty ? [] : [words.joined(separator: ", ") + "."]
        if self.isConverged, self.errors.isEmpty { sentences.append("Nothing to do.") }
        return (sentences + [self.assumption].compactMap(\.self)).joined(separator: " ")
    }

    private var details: [String] {
        var parts: [String] = []
        if let memory = self.memory, !self.plan.steps.isEmpty {
            parts.append("**Memory**\n\n" + memory.sentences.map { "- \(Markdown.prose($0))" }.joined(separator: "\n"))
        }
        if !self.plan.obstacles.isEmpty {
            let obstacles = self.plan.obstacles.map { "- \(Markdown.prose($0))" }
            parts.append("**Not in force**\n\n" + obstacles.joined(separator: "\n"))
        }
        if !self.plan.waits.isEmpty {
            let waits = self.plan.waits.map { "- \(Markdown.code("\($0.subject)")): \(Markdown.prose($0.reason))" }
            parts.append("**Waits**\n\n" + waits.joined(separator: "\n"))
        }
        if !self.notApplied.isEmpty {
            parts.append("**Not applied**\n\n" + PlanReport.list(self.notApplied))
        }
        if !self.plan.steps.isEmpty {
            let steps = self.plan.steps.enumerated().map { index, step in
                "\(index + 1). **\(step.action.word)** \(Markdown.code(step.action.subject)): "
                    + Markdown.prose(step.reason)
            }
            let summary = "<summary>\(Counted.words(steps.count, "step"))</summary>"
            parts.append("<details>\(summary)\n\n" + steps.joined(separator: "\n") + "\n\n</details>")
        }
        return parts
    }

    private static func list(_ diagnostics: [Diagnostic]) -> String {
        diagnostics.map { "- \(Markdown.code("\($0.location)")): \(Markdown.prose($0.message))" }.joined(
            separator: "\n"
        )
    }
}

/// Text of others inside Markdown: shown as it is, never read as formatting, a link or a mention.
enum Markdown {
    /// Words in a sentence or a cell.
    static func prose(_ text: String) -> String {
        var escaped = ""
        for character in PlainText.line(text) {
            if "\\`*_{}[]<>|~&!".contains(character) { escaped += "\\" }
            escaped.append(character)
            // A backslash does not keep a forge from reading a mention or the number of an issue.
            if "@#".contains(character) { escaped += "<!-- -->" }
        }
        return escaped
    }

    /// A name in a code span; a dash for none.
    static func code(_ text: String?) -> String {
        guard let text else { return "–" }
        return "`" + PlainText.line(text).replacing("`", with: "'").replacing("|", with: "\\|") + "`"
    }

    /// A table with one line for each row.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let lines = [header, header.map { _ in "---" }] + rows
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }
}
