internal import Schema

/// How one resource is doing, before the times of its conditions are known.
struct StatusVerdict: Sendable {
    /// A condition without its transition time.
    struct Finding: Sendable, Hashable {
        var type: Condition.Kind
        var status: Condition.Status
        var reason: String
        var message: String
        var observedRevision: String?

        func condition(since previous: [Condition], at now: Timestamp) -> Condition {
            let before = previous.first { $0.type == self.type }
            let hasMoved = before?.status != self.status
            return Condition(
                type: self.type,
                status: self.status,
                reason: self.reason,
                message: self.message,
                lastTransitionTime: hasMoved ? now.seconds : before?.lastTransitionTime ?? now.seconds,
                observedRevision: self.observedRevision
            )
        }
    }

    var sync: SyncStatus
    var health: HealthStatus
    /// Whether what the commit asks for is there and answers: yes, no, or on the way.
    var ready: Condition.Status
    var reason: String
    var message: String
    /// Present only while true: the reason and the message.
    var stalled: (reason: String, message: String)?
    var blocked: (reason: String, message: String)?
    var isReconciling = false
    var revision: String?

    var conditions: [Finding] {
        var findings = [self.finding(.ready, self.ready, self.reason, self.message)]
        if self.isReconciling {
            let isSaid = ["Progressing", "BackingOff", "Pruning"].contains(self.reason)
            let message = isSaid ? self.message : "steps are under way"
            findings.append(self.finding(.reconciling, .yes, isSaid ? self.reason : "Progressing", message))
        }
        if let stalled { findings.append(self.finding(.stalled, .yes, stalled.reason, stalled.message)) }
        if let blocked { findings.append(self.finding(.blocked, .yes, blocked.reason, blocked.message)) }
        return findings
    }

    private func finding(
        _ type: Condition.Kind,
        _ status: Condition.Status,
        _ reason: String,
        _ message: String
    ) -> Finding {
        Finding(type: type, status: status, reason: reason, message: message, observedRevision: self.revision)
    }
}
