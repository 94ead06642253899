internal import Dispatch
internal import Synchronization

/// Says to work on another thread that nobody waits for it any more.
package final class StopFlag: Sendable {
    private let requested = Atomic(false)

    package init() {}

    package func request() {
        self.requested.store(true, ordering: .releasing)
    }

    /// Throws `CancellationError` once the stop was asked for.
    package func check() throws {
        if self.requested.load(ordering: .acquiring) { throw CancellationError() }
    }
}

/// Work that waits for disks, kept away from the threads that tasks share.
package enum BlockingWork {
    /// Runs the work on a thread that may block; cancelling the task raises the work's flag, and it still finishes.
    package static func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable (StopFlag) throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let stop = StopFlag()
        let result: Result<Value, Failure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(returning: Result { () throws(Failure) in try work(stop) })
                }
            }
        } onCancel: {
            stop.request()
        }
        return try result.get()
    }
}
