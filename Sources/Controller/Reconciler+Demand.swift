internal import Planning
internal import Schema

extension Reconciler {
    /// Takes over what a look at the runtime found, and keeps in mind for which lazy models requests wait.
    func take(_ found: RuntimeChanges) -> StateChanges {
        let changes = self.observed.runtime.apply(found)
        for instance in changes.instances {
            if self.observation.instances[instance]?.state == .demanded {
                self.demanded.insert(instance)
            } else {
                self.demanded.remove(instance)
            }
        }
        return changes
    }

    /// Tells the requests that wait for a lazy model why the newest plan does not load it.
    func refuseDemands() async {
        for instance in self.demanded.sorted() where !self.update.plans(StepAction.loadKey(of: instance)) {
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
