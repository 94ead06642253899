internal import Planning
internal import Schema

extension PlanReport {
    /// Errors that no section about policies tells of.
    var errorsBesidePolicies: [Diagnostic] {
        let told = Set(self.policies.map(\.diagnostic))
        return self.errors.filter { !told.contains($0) }
    }

    /// Sections for a terminal.
    var policyText: [String] {
        var parts: [String] = []
        if !self.policies.isEmpty {
            let lines = self.policies.map { "\($0.enforcement.rawValue) \($0.location) \($0.resource): \($0.sentence)" }
            parts.append(PlanReport.section("Policies", lines))
        }
        if let signature = self.signature { parts.append(PlanReport.section("Signature", [signature.message])) }
        return parts
    }

    /// Sections for a pull request.
    var policyMarkdown: [String] {
        var parts: [String] = []
        if !self.policies.isEmpty {
            let rows = self.policies.map { finding in
                [
                    finding.enforcement.rawValue, Markdown.code("\(finding.location)"),
                    Markdown.code("\(finding.resource)"), Markdown.code(finding.field), Markdown.prose(finding.message),
                    Markdown.code("\(finding.policy)"),
                ]
            }
            let header = ["", "Place", "Resource", "Field", "What", "Policy"]
            parts.append("**Policies**\n\n" + Markdown.table(header, rows))
        }
        if let signature = self.signature { parts.append("**Signature**\n\n" + Markdown.prose(signature.message)) }
        return parts
    }
}
