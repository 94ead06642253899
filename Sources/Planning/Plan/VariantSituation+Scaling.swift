internal import Schema

extension VariantSituation {
    /// Replicas to start: at least one, which shows that the revision works.
    var replicasToStart: Int { max(self.scale.replicas, 1) }

    /// Whether a revision is ready and has no replicas, as it should: a request wakes it.
    func isAsleep(_ revision: Revision) -> Bool {
        guard self.scale.replicas == 0, let runner = self.runner(of: revision) else { return false }
        return runner.state == .ready && runner.replicas == 0
    }

    /// Whether the target, which has answered before, is to have no replicas: then nothing is loaded for it.
    var needsNoModels: Bool {
        guard self.scale.replicas == 0, !self.isRolling, let target, let runner = self.runner(of: target.revision)
        else {
            return false
        }
        return runner.state == .ready && (runner.replicas == 0 || !self.mode.isSuspended)
    }
}
