internal import DequeModule

/// Jobs that wait for a slot: the higher priority first, and in their order of arrival within one.
struct JobQueue: Sendable {
    private var jobs: [JobID: SessionJob] = [:]
    /// By priority. Names of cancelled jobs stay until their turn would come.
    private var order = [Deque<JobID>](repeating: [], count: RequestPriority.allCases.count)

    var isEmpty: Bool { self.jobs.isEmpty }
    var count: Int { self.jobs.count }

    mutating func append(_ job: SessionJob) {
        self.jobs[job.id] = job
        self.order[job.priority.rawValue].append(job.id)
    }

    mutating func popFirst() -> SessionJob? {
        for priority in self.order.indices.reversed() {
            while let id = self.order[priority].popFirst() {
                if let job = self.jobs.removeValue(forKey: id) { return job }
            }
        }
        return nil
    }

    /// Whether the job was waiting.
    mutating func remove(_ id: JobID) -> Bool {
        self.jobs.removeValue(forKey: id) != nil
    }

    /// Empties the queue, and names what waited.
    mutating func removeAll() -> [JobID] {
        defer { self = JobQueue() }
        return Array(self.jobs.keys)
    }
}
