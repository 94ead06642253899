internal import Dispatch

/// Runs an actor's jobs on one serial queue of their own.
final class ReconcilerExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "martlet.reconciler", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let executor = self.asUnownedSerialExecutor()
        self.queue.async { unowned.runSynchronously(on: executor) }
    }
}
