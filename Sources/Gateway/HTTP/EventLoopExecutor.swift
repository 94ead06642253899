internal import NIOCore

/// Runs tasks on the thread of an event loop.
///
/// Changing threads costs a small request more than all else that is done for it: one that is served on the thread which
/// reads and writes its connection changes none. What runs here must not block, since the loop's other connections wait.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
