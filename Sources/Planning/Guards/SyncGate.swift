/// Decides which commit of a source is in force: a pure function of what is known and the time.
///
/// Only new commits are ever kept waiting. The commit that was applied stays in force whatever the mode and the windows
/// say, so that self-healing, rollbacks and restarts go on with it.
package struct SyncGate: Sendable, Hashable {
    /// What a person asked for with `martlet sync`.
    package enum Request: Sendable, Hashable {
        case newest
        case commit(ObjectID)
    }

    /// What the gate decides.
    package enum Decision: Sendable, Hashable {
        /// This commit is in force from now on.
        case apply(ObjectID)
        /// The commit that was applied, if any, stays; the newest one waits.
        case wait(SyncWait)
    }

    package var policy: SyncPolicy
    /// The commit that was applied last; nil before the first.
    package var applied: ObjectID?
    /// A person's wish that is not granted yet; whether windows permit it was asked when it was made.
    package var request: Request?

    package init(policy: SyncPolicy = SyncPolicy(), applied: ObjectID? = nil, request: Request? = nil) {
        self.policy = policy
        self.applied = applied
        self.request = request
    }

    /// Decides about the newest commit of the source.
    package func decide(newest: ObjectID, now: Timestamp) -> Decision {
        switch self.request {
        case .commit(let commit): return .apply(commit)
        case .newest: return .apply(newest)
        case nil: break
        }
        if newest == self.applied { return .apply(newest) }
        if let obstacle = self.policy.obstacle(at: now) {
            // A window's end changes nothing where a person has to act anyway.
            return self.policy.mode == .automatic ? .wait(obstacle) : .wait(SyncGate.manual)
        }
        switch self.policy.mode {
        case .automatic: return .apply(newest)
        case .manual: return .wait(SyncGate.manual)
        }
    }

    /// Why the newest commit waits, once a person has chosen another one.
    package func waiting(now: Timestamp) -> SyncWait {
        self.policy.mode == .automatic ? self.policy.obstacle(at: now) ?? SyncGate.manual : SyncGate.manual
    }

    private static let manual = SyncWait(
        word: "ManualSync",
        reason: "the sync mode is manual: 'martlet sync' applies it",
        until: nil
    )
}

/// Why a commit is not applied yet.
package struct SyncWait: Sendable, Hashable, Codable {
    /// One UpperCamelCase word: `ManualSync`, `OutsideSyncWindow`, `SyncDenied`.
    package var word: String
    package var reason: String
    /// When it is decided anew; nil: when a person asks.
    package var until: Timestamp?

    package init(word: String, reason: String, until: Timestamp?) {
        self.word = word
        self.reason = reason
        self.until = until
    }
}
