internal import Synchronization

/// Ends a job when its caller's task is cancelled, be that before or after a session has taken it.
final class JobCancellation: Sendable {
    private enum State {
        case notBegun
        case begun(SessionDriver)
        case cancelled
    }

    private let job: JobID
    private let state = Mutex(State.notBegun)

    init(_ job: JobID) {
        self.job = job
    }

    /// Names the session that took the job.
    func begin(with driver: SessionDriver) {
        let wasCancelled = self.state.withLock { state in
            if case .cancelled = state { return true }
            state = .begun(driver)
            return false
        }
        if wasCancelled { driver.abandon(self.job) }
    }

    func cancel() {
        let driver: SessionDriver? = self.state.withLock { state in
            defer { state = .cancelled }
            if case .begun(let driver) = state { return driver }
            return nil
        }
        driver?.abandon(self.job)
    }
}
