internal import Synchronization

/// The parent of tasks that outlive the calls that began them: they end before ``run()`` returns.
///
/// A task group would be that too, but only its own task can add to it: to reach that one takes every request to another
/// thread and back.
final class TaskNursery: Sendable {
    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var nextID: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let isEmpty = Latch()

    /// Returns when ``close()`` was called or the task is cancelled, and all tasks have ended; a cancelled task cancels
    /// them.
    func run() async {
        await withTaskCancellationHandler {
            await self.isEmpty.wait()
            self.close()
            // Cancelled: what is under way is waited for all the same.
            while let task = self.state.withLock({ $0.tasks.values.first }) { await task.value }
        } onCancel: {
            self.close()
            let tasks = self.state.withLock { $0.tasks.values }
            for task in tasks { task.cancel() }
        }
    }

    /// Starts a task. Returns nil, and starts nothing, when no more are taken.
    ///
    /// - Parameter executor: runs it; nil: any thread does.
    func start(
        on executor: (any TaskExecutor)? = nil,
        _ operation: @escaping @Sendable () async -> Void
    ) -> Task<Void, Never>? {
        self.state.withLock { state in
            guard !state.isClosed else { return nil }
            state.nextID += 1
            let id = state.nextID
            // It leaves by the same lock, and so not before it has been put down.
            let task = Task(executorPreference: executor) {
                await operation()
                self.leave(id)
            }
            state.tasks[id] = task
            return task
        }
    }

    /// Takes no more tasks.
    func close() {
        let isEmpty = self.state.withLock { state in
            state.isClosed = true
            return state.tasks.isEmpty
        }
        if isEmpty { self.isEmpty.open() }
    }

    private func leave(_ id: UInt64) {
        let isLast = self.state.withLock { state in
            state.tasks[id] = nil
            return state.isClosed && state.tasks.isEmpty
        }
        if isLast { self.isEmpty.open() }
    }
}
