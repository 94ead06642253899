internal import Planning
internal import Schema
internal import Synchronization

extension RemoteRepository {
    /// A longer pause than this between failing fetches is made only by a longer poll interval.
    private static let longestPause = Duration.seconds(300)
    /// More packs than this make reading slow.
    private static let mostPacks = 50
    /// The clone may grow by this many bytes on top of twice its size before it is repacked.
    private static let growth: Int64 = 256 << 20

    /// Fetches now, or right after the fetch under way, which may have asked before the wish.
    ///
    /// Throws why the fetch failed. Waits for ``run()``, which fetches.
    package func refresh() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isQueued = self.state.withLock { state in
                if !state.hasEnded { state.waiters.append(continuation) }
                return !state.hasEnded
            }
            guard isQueued else {
                continuation.resume(throwing: Self.ended)
                return
            }
            self.alarm.ring()
        }
    }

    /// Fetches at once, at each poll and on demand, one fetch at a time, until cancelled.
    package func run() async {
        while !Task.isCancelled {
            let waiters = self.state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            let result = await self.fetch()
            for waiter in waiters { waiter.resume(with: result) }
            await self.pause()
        }
        let waiters = self.state.withLock { state in
            defer { (state.waiters, state.hasEnded) = ([], true) }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(throwing: Self.ended) }
    }

    /// One fetch, and what it leaves to be known.
    private func fetch() async -> Result<Void, any Error> {
        do {
            let answer = try await self.surroundings.fetcher(try self.request(.fetch))
            self.note(answer)
            await self.repackIfNeeded(answer)
            return .success(())
        } catch {
            let failure =
                error as? MartletError
                ?? MartletError(
                    "FetchFailed",
                    "'\(self.options.url)' cannot be fetched: \(error)",
                    disposition: .retryable
                )
            if !Task.isCancelled { self.note(failure) }
            return .failure(failure)
        }
    }

    private func note(_ answer: FetchAnswer) {
        let now = self.surroundings.wallClock.now()
        let followers = self.state.withLock { state in
            let isNews = state.commit != answer.commit || state.freshness.failure != nil
            state.commit = answer.commit
            state.freshness = SourceFreshness(fetchedAt: now)
            state.failures = 0
            return isNews ? Array(state.followers.values) : []
        }
        for follower in followers { follower.yield() }
    }

    private func note(_ failure: MartletError) {
        let followers = self.state.withLock { state in
            let isNews = state.freshness.failure?.description != failure.description
            state.freshness.failure = failure
            state.failures += 1
            return isNews ? Array(state.followers.values) : []
        }
        for follower in followers { follower.yield() }
    }

    /// A repack that fails harms nothing, and is tried again after the next fetch.
    private func repackIfNeeded(_ answer: FetchAnswer) async {
        let limit = self.state.withLock { $0.repackedBytes } * 2 + Self.growth
        guard answer.packs > Self.mostPacks || answer.bytes > limit, let request = try? self.request(.repack) else {
            return
        }
        guard let repacked = try? await self.surroundings.fetcher(request) else { return }
        self.state.withLock { $0.repackedBytes = repacked.bytes }
    }

    /// Secrets are looked up anew each time, so that one that was replaced needs no restart.
    private func request(_ task: FetchRequest.Task) throws -> FetchRequest {
        let credentials = self.options.credentials
        return FetchRequest(
            task: task,
            clone: self.folder,
            options: self.options,
            password: try credentials.password.map(self.surroundings.secret),
            sshKeyPassphrase: try credentials.sshKeyPassphrase.map(self.surroundings.secret)
        )
    }

    /// Sleeps until the next fetch is due or asked for.
    private func pause() async {
        let length = self.pauseLength()
        await withTaskGroup { group in
            group.addTask { try? await self.surroundings.clock.sleep(for: length) }
            group.addTask { await self.alarm.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    /// The poll interval, doubled with each failure in a row after the first, and drawn out by up to a quarter so that
    /// many controllers do not come back to a server all at once.
    private func pauseLength() -> Duration {
        let failures = self.state.withLock(\.failures)
        guard failures > 0 else { return self.options.poll }
        let grown = self.options.poll * (1 << min(failures - 1, 20))
        let capped = min(grown, max(self.options.poll, Self.longestPause))
        return capped * (1 + min(max(self.surroundings.jitter(), 0), 1) / 4)
    }

    private static let ended = MartletError("Conflict", "the controller is shutting down; ask its successor")
}
