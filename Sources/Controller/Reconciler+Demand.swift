internal import Planning
internal import Schema

extension Reconciler {
    /// Tells the requests that wait for a lazy model why the newest plan does not load it.
    func refuseDemands() async {
        let demanded = self.observation.instances.filter { $0.value.state == .demanded }.keys
        for instance in demanded.sorted() where !self.update.plans(StepAction.loadKey(of: instance)) {
            await self.ports.runtime.refuse(
                instance,
                because: MartletError("NotLoaded", self.obstacle(to: instance), disposition: .retryable)
            )
        }
    }

    private func obstacle(to instance: InstanceKey) -> String {
        let steps = [StepAction.loadKey(of: instance), StepAction.probeKey(of: instance)]
        let users = Set((self.planner.index.instanceUsers[instance] ?? []).map(\.resource))
        let wait =
            self.plan.waits.first { wait in wait.step.map(steps.contains) ?? false }
            ?? self.plan.waits.first { users.contains($0.subject) }
        return wait?.reason ?? "no revision that is to answer has it"
    }

    /// Tells that a lazy model was loaded for the first time in this life of the process; later loads are only counted.
    func noteDemandMet(by action: StepAction) {
        guard case .load(let instance) = action, instance.isLazy else { return }
        let size = instance.declaredMemory.map { ", which takes \(memoryWords($0))" } ?? ""
        self.note(
            .normal,
            "LoadedOnDemand",
            "\(instance.model)\(size) was loaded for a request",
            resource: instance.model
        )
    }
}
