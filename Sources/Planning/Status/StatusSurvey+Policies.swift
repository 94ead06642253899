internal import Schema

extension StatusSurvey {
    /// Of a policy that could be read: all of it that this version can ask is in force.
    func verdict(onPolicy identity: ResourceIdentity) -> StatusVerdict {
        let findings = self.desired.policyReview.allFindings.filter { $0.policy == identity }
        let denied = Set(findings.filter { $0.enforcement == .deny }.map(\.resource)).sorted()
        let warned = Set(findings.filter { $0.enforcement == .warn }.map(\.resource)).sorted()
        var parts: [String] = []
        if !denied.isEmpty { parts.append("holds back \(Self.names(denied))") }
        if !warned.isEmpty { parts.append("warns about \(Self.names(warned))") }
        let obstacle = self.desired.blocked[identity].map { "; \($0.message)" } ?? ""
        return StatusVerdict(
            sync: .synced,
            health: .healthy,
            ready: .yes,
            reason: "InForce",
            message: (parts.isEmpty ? "nothing breaks it" : parts.joined(separator: ", ")) + obstacle
        )
    }

    private static func names(_ resources: [ResourceIdentity]) -> String {
        let shown = resources.prefix(5).map(\.description).joined(separator: ", ")
        return resources.count > 5 ? "\(shown) and \(resources.count - 5) more" : shown
    }
}
