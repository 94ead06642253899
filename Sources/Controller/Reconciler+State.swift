internal import Planning
internal import Schema

extension Reconciler {
    /// Tells in the status whether the control database can be written; nil: it can.
    func setStateCondition(_ error: MartletError?) {
        let status: Condition.Status = error == nil ? .yes : .no
        let since =
            status == self.stateCondition.status
            ? self.stateCondition.lastTransitionTime : self.ports.wallClock.now().seconds
        self.stateCondition = Condition(
            type: .stateWritable,
            status: status,
            reason: error?.code ?? "Written",
            message: error?.description ?? "",
            lastTransitionTime: since
        )
    }

    /// Written first of all once the store takes writes again: nobody could be told while it did not.
    var endOfRefusals: FactChange {
        .event(
            Event(
                at: self.ports.wallClock.now(),
                severity: .normal,
                commit: self.desired?.commit.id,
                reason: "StateWritable",
                message: "the control database can be written again; it could not: \(self.stateCondition.message)"
            )
        )
    }
}
