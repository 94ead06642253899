import Controller
import Planning
import Schema
import Testing

@Suite struct WorkQueueTests {
    private static let one = WorkQueueTests.instance("one")
    private static let other = WorkQueueTests.instance("other")
    private static let variant = VariantID(namespace: "default", endpoint: "desk")
    private static let runner = RunnerKey(variant, Revision(Digest(of: "revision".utf8)))
    private static let another = RunnerKey(variant, Revision(Digest(of: "another".utf8)))
    private static let all = [TrafficShare(revision: runner.revision, weight: 100)]

    private let load = StepAction.load(WorkQueueTests.one)
    private let now = Timestamp(milliseconds: 1000)
    private let error = MartletError("DiskBusy", "busy", disposition: .retryable)

    private static func instance(_ name: String) -> InstanceSpec {
        InstanceSpec(
            model: ResourceIdentity(.model, namespace: "default", name: name),
            engine: "replay",
            artifact: Artifact(location: .repository(path: name, blob: name), size: 1)
        )
    }

    @Test func sameStepIsTakenOnOnce() {
        var queue = WorkQueue()
        let answers = [queue.begin(self.load), queue.begin(self.load)]
        queue.succeed(self.load.key)
        let again = queue.begin(self.load)
        #expect(answers == [true, false])
        #expect(again)
    }

    @Test func supersededStepsAreNamedOnceAndStayUntilTheyEnd() {
        var queue = WorkQueue()
        let kept = StepAction.load(WorkQueueTests.other)
        _ = queue.begin(self.load)
        _ = queue.begin(kept)
        let superseded = (1...2).map { _ in queue.supersede { $0 == kept.key } }
        let whileUnwinding = queue.begin(self.load)
        #expect(queue.isSuperseded(self.load.key))
        queue.abandon(self.load.key)
        let afterwards = queue.begin(self.load)
        #expect(superseded == [[self.load.key], []])
        #expect(!whileUnwinding, "the old try is still unwinding")
        #expect(afterwards)
        #expect(!queue.isSuperseded(self.load.key))
        #expect(queue.failures.isEmpty, "a cancelled step has not failed")
    }

    /// Whether the second of two steps may begin while the first is under way.
    @Test(arguments: [
        (StepAction.load(one), StepAction.unload(one.key), false),
        (.load(one), .load(other), true),
        (.unload(one.key), .load(one), false),
        // What is unloaded frees its memory only in the end.
        (.unload(one.key), .load(other), false),
        (.unload(one.key), .probe(other), true),
        (.drain(runner, timeout: .seconds(30)), .stop(runner), false),
        (.stop(runner), .warmUp(runner), false),
        (.setTraffic(variant, []), .setTraffic(variant, [TrafficShare(revision: runner.revision, weight: 100)]), false),
        // The traffic of a plan that was superseded may still be on its way to the runner.
        (.setTraffic(variant, []), .stop(runner), false),
        (.setTraffic(variant, []), .drain(runner, timeout: .seconds(30)), false),
        (.setTraffic(variant, []), .warmUp(runner), true),
        // A drain or stop that is not wanted any more may still take effect.
        (.drain(runner, timeout: .seconds(30)), .setTraffic(variant, all), false),
        (.stop(runner), .setTraffic(variant, all), false),
        (.drain(another, timeout: .seconds(30)), .setTraffic(variant, all), true),
    ])
    func overlaps(first: StepAction, second: StepAction, mayBegin: Bool) {
        var queue = WorkQueue()
        _ = queue.begin(first)
        let whileUnderWay = queue.begin(second)
        #expect(whileUnderWay == mayBegin)
        queue.succeed(first.key)
        let afterwards = queue.begin(second)
        #expect(afterwards != mayBegin)
    }

    @Test func suspectsAreLoadedAlone() {
        var queue = WorkQueue()
        queue.suspects = [WorkQueueTests.one.key, WorkQueueTests.other.key]
        let trusted = StepAction.load(WorkQueueTests.instance("trusted"))
        let begun = [self.load, .load(WorkQueueTests.other), trusted].map { queue.begin($0) }
        #expect(begun == [true, false, false])
        queue.succeed(self.load.key)
        let next = [trusted, .load(WorkQueueTests.other)].map { queue.begin($0) }
        queue.succeed(trusted.key)
        let last = queue.begin(.load(WorkQueueTests.other))
        #expect(next == [true, false])
        #expect(last)
        #expect(queue.suspects == [WorkQueueTests.other.key])
    }

    @Test func filesAreNotRemovedWhileTheyAreUsed() {
        var queue = WorkQueue()
        let probe = StepAction.probe(WorkQueueTests.other)
        _ = queue.begin(self.load)
        let whileLoading = queue.beginPruning()
        queue.succeed(self.load.key)
        let (begun, twice) = (queue.beginPruning(), queue.beginPruning())
        let whilePruning = [queue.begin(self.load), queue.begin(probe)]
        queue.endPruning()
        let afterwards = [queue.begin(self.load), queue.begin(probe)]
        #expect(!whileLoading)
        #expect(begun && !twice)
        #expect(whilePruning == [false, false])
        #expect(afterwards == [true, true])
    }

    @Test func failuresCountUpUntilSuccess() {
        var queue = WorkQueue(backoff: Backoff(first: 100, longest: 1000))
        for (attempt, delay) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (6, 1000)] {
            let failure = queue.fail(self.load.key, self.error, at: self.now, jitter: 1)
            #expect(failure.attempts == attempt)
            #expect(failure.retryAt == self.now.advanced(byMilliseconds: Int64(delay)))
            #expect(failure.firstAt == self.now)
            #expect(failure.disposition == .retryable)
        }
        queue.succeed(self.load.key)
        let again = queue.fail(self.load.key, self.error, at: self.now, jitter: 1)
        #expect(again.attempts == 1)
    }

    @Test func forgottenFailuresAreTriedAtOnce() {
        var queue = WorkQueue()
        queue.fail(self.load.key, self.error, at: self.now, jitter: 1)
        queue.forget { $0 == self.load.key }
        #expect(queue.failures.isEmpty)
    }
}

@Suite struct DeathTests {
    private let instance = InstanceKey(Digest(of: Array("instance".utf8)))

    @Test func firstDeathCostsNothingAndLaterOnesEverMore() {
        var queue = WorkQueue(backoff: Backoff(first: 100, longest: 1000))
        let key = StepAction.loadKey(of: self.instance)
        var delays: [Int64?] = []
        for death in 0..<4 {
            let now = Timestamp(milliseconds: Int64(death) * 1000)
            queue.noteDeath(of: self.instance, "it hung", at: now, jitter: 1)
            delays.append(queue.failures[key].map { $0.retryAt.milliseconds - now.milliseconds })
            queue.forget { _ in true }
        }
        #expect(delays == [nil, 100, 200, 400])
        queue.noteDeath(of: self.instance, "it hung", at: Timestamp(milliseconds: 700_000), jitter: 1)
        #expect(queue.failures[key] == nil, "after a calm while it is the first death again")
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
