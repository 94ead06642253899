import Controller
import Planning
import Schema
import Testing

@Suite struct WorkQueueTests {
    private let key = StepKey("load a")
    private let now = Timestamp(milliseconds: 1000)
    private let error = MartletError("DiskBusy", "busy", disposition: .retryable)

    @Test func sameStepIsTakenOnOnce() {
        var queue = WorkQueue()
        let answers = [queue.begin(self.key), queue.begin(self.key)]
        queue.succeed(self.key)
        let again = queue.begin(self.key)
        #expect(answers == [true, false])
        #expect(again)
    }

    @Test func supersededStepsAreNamedOnceAndStayUntilTheyEnd() {
        var queue = WorkQueue()
        _ = queue.begin(self.key)
        _ = queue.begin(StepKey("load b"))
        let superseded = (1...2).map { _ in queue.supersede(keeping: [StepKey("load b")]) }
        let whileUnwinding = queue.begin(self.key)
        queue.abandon(self.key)
        let afterwards = queue.begin(self.key)
        #expect(superseded == [[self.key], []])
        #expect(!whileUnwinding, "the old try is still unwinding")
        #expect(afterwards)
        #expect(queue.failures.isEmpty, "a cancelled step has not failed")
    }

    @Test func failuresCountUpUntilSuccess() {
        var queue = WorkQueue(backoff: Backoff(first: 100, longest: 1000))
        for (attempt, delay) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (6, 1000)] {
            let failure = queue.fail(self.key, self.error, at: self.now, jitter: 1)
            #expect(failure.attempts == attempt)
            #expect(failure.retryAt == self.now.advanced(byMilliseconds: Int64(delay)))
            #expect(failure.firstAt == self.now)
            #expect(failure.disposition == .retryable)
        }
        queue.succeed(self.key)
        let again = queue.fail(self.key, self.error, at: self.now, jitter: 1)
        #expect(again.attempts == 1)
    }

    @Test func forgottenFailuresAreTriedAtOnce() {
        var queue = WorkQueue()
        queue.fail(self.key, self.error, at: self.now, jitter: 1)
        queue.forget { $0 == self.key }
        #expect(queue.failures.isEmpty)
    }
}

@Suite struct BackoffTests {
    @Test(arguments: [
        (1, 0.0, Int64(125)), (1, 1.0, 250), (2, 0.0, 250), (2, 1.0, 500), (3, 0.5, 750), (9, 1.0, 60_000),
        (9, 0.0, 30_000), (1000, 1.0, 60_000),
    ])
    func delays(attempts: Int, jitter: Double, expected: Int64) {
        #expect(Backoff().delay(afterAttempts: attempts, jitter: jitter) == expected)
    }
}
