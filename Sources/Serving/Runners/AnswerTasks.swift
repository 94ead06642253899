/// The parent of every answer under way: answers outlive the call that began them, and end before their parent does.
struct AnswerTasks: Sendable {
    typealias Job = @Sendable () async -> Void

    private let jobs: AsyncStream<Job>
    private let continuation: AsyncStream<Job>.Continuation

    init() {
        (self.jobs, self.continuation) = AsyncStream.makeStream()
    }

    /// Runs jobs until the task is cancelled or ``close()`` was called; then waits for those under way.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in self.jobs { group.addTask { await job() } }
        }
        self.continuation.finish()
    }

    /// Starts a job. Returns false, and starts nothing, when no more jobs are taken.
    func start(_ job: @escaping Job) -> Bool {
        switch self.continuation.yield(job) {
        case .enqueued: true
        case .dropped, .terminated: false
        @unknown default: false
        }
    }

    /// Takes no more jobs.
    func close() {
        self.continuation.finish()
    }
}
