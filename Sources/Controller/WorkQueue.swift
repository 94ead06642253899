package import Planning
package import Schema

/// Which steps are under way, which failed, and when those may be tried again: one entry for each key.
///
/// A value: the reconciler owns it, tests drive it.
package struct WorkQueue: Sendable {
    /// Steps under way, and whether a newer plan has asked them to stop.
    package private(set) var running: [StepKey: Bool] = [:]
    package private(set) var failures: [StepKey: StepFailure] = [:]
    private let backoff: Backoff

    package init(backoff: Backoff = Backoff()) {
        self.backoff = backoff
    }

    /// Takes a step on, unless the same one is under way: then its end wakes the loop, which asks again.
    package mutating func begin(_ key: StepKey) -> Bool {
        guard self.running[key] == nil else { return false }
        self.running[key] = false
        return true
    }

    /// The steps to cancel because the newest plan has no use for them; each is named once.
    package mutating func supersede(keeping wanted: Set<StepKey>) -> [StepKey] {
        let unwanted = self.running.filter { !$0.value && !wanted.contains($0.key) }.keys.sorted()
        for key in unwanted {
            self.running[key] = true
        }
        return unwanted
    }

    /// The step ended well.
    package mutating func succeed(_ key: StepKey) {
        self.running[key] = nil
        self.failures[key] = nil
    }

    /// The step ended because it was cancelled: no failure of its own.
    package mutating func abandon(_ key: StepKey) {
        self.running[key] = nil
    }

    /// The step failed; returns what was noted, with the time of the next try.
    @discardableResult
    package mutating func fail(
        _ key: StepKey,
        _ error: MartletError,
        at now: Timestamp,
        jitter: Double
    ) -> StepFailure {
        self.running[key] = nil
        let earlier = self.failures[key]
        let attempts = (earlier?.attempts ?? 0) + 1
        let delay = self.backoff.delay(afterAttempts: attempts, jitter: jitter)
        let failure = StepFailure(
            attempts: attempts,
            code: error.code,
            message: error.description,
            disposition: error.disposition,
            firstAt: earlier?.firstAt ?? now,
            retryAt: now.advanced(byMilliseconds: delay)
        )
        self.failures[key] = failure
        return failure
    }

    /// Forgets failures, so that their steps are tried at once: by a person's wish, or since nothing wants them.
    package mutating func forget(where isForgotten: (StepKey) -> Bool) {
        self.failures = self.failures.filter { !isForgotten($0.key) }
    }
}
