internal import Dispatch
package import ManifestYAML
package import Planning
internal import Schema
internal import Synchronization

/// Reads the desired state from one ref of one repository, from the commit that its gate lets in.
///
/// Reading blocks on disk, so it has a queue of its own. Each read starts from the one before: what did not change is
/// not read again.
package final class DesiredStateReader: Sendable {
    /// Which part of which repository is followed.
    package struct Place: Sendable, Hashable {
        package var location: String
        package var ref: String
        package var path: String

        package init(location: String, ref: String, path: String) {
            self.location = location
            self.ref = ref
            self.path = path
        }
    }

    /// What was read, always from one commit to another.
    struct State {
        /// Has the commit that is in force.
        var loader: DesiredStateLoader
        /// A copy of it that went on to a commit which is not in force.
        var preview: DesiredStateLoader?
        /// Whether the loader knows all that its commit changed: not where sources were advanced one by one.
        var knowsChanges = true
    }

    /// What people call the source.
    package let name: String
    package let place: Place
    /// When new commits are applied.
    package let policy: SyncPolicy
    /// Nil: nobody asks who signed a commit.
    let signatures: SignatureGuard?
    /// Makes a loader that has read nothing yet.
    let makeLoader: @Sendable () -> DesiredStateLoader
    let repository: any SourceRepository
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "martlet.source", qos: .userInitiated)

    /// - Parameters:
    ///   - engines: Engines that are installed here; a model that names another one gets a warning.
    ///   - policies: Policies from elsewhere, and how far those of the repository reach.
    ///   - signatures: Asked before a commit comes into force.
    ///   - scopes: What each source may declare, by name; with one source, by the empty name, or not at all.
    package init(
        repository: any SourceRepository,
        place: Place,
        namespace: String,
        name: String = "default",
        policy: SyncPolicy = SyncPolicy(),
        engines: Set<String> = [],
        policies: PolicySources = PolicySources(),
        signatures: SignatureGuard? = nil,
        scopes: [String: NamespaceScope] = [:]
    ) {
        self.repository = repository
        self.place = place
        self.name = name
        self.policy = policy
        self.signatures = signatures
        self.makeLoader = {
            DesiredStateLoader(
                repository: repository,
                subpath: place.path,
                namespace: namespace,
                knownEngines: ManifestReader.defaultEngines.union(engines),
                policies: policies,
                scopes: scopes
            )
        }
        self.state = Mutex(State(loader: self.makeLoader()))
    }

    /// Yields whenever the ref may have moved.
    package func refChanges() -> AsyncStream<Void> {
        self.repository.refChanges()
    }

    /// Resolves the ref and reads what the gate decides about it, unless that is what was read last.
    ///
    /// - Parameters:
    ///   - now: When the gate is asked.
    ///   - again: Reads the commit in force even so, since what it names outside of the repository may be there by now.
    package func read(_ gate: SyncGate, now: Timestamp, again: Bool = false) async throws -> SourceReading {
        try await withCheckedThrowingContinuation { continuation in
            self.queue.async {
                continuation.resume(
                    with: Result {
                        var reading = try self.state.withLock { try self.read(gate, now, again, &$0) }
                        // A remote repository is read as it was fetched last, even while it cannot be reached.
                        reading.failure = reading.failure ?? self.repository.freshness?.failure
                        return reading
                    }
                )
            }
        }
    }

    private func read(
        _ gate: SyncGate,
        _ now: Timestamp,
        _ again: Bool,
        _ state: inout State
    ) throws -> SourceReading {
        if state.loader.desired == nil { gate.applied.map { self.sources?.recall($0) } }
        let newest = Result { try self.repository.resolve(self.place.ref) }
        let restored = self.restore(gate, newest, &state)
        do {
            let newest = try newest.get()
            switch gate.decide(newest: newest.id, now: now) {
            case .apply(let id):
                let commit = id == newest.id ? newest : try self.repository.resolve(id)
                let desired =
                    try self.applySigned(commit, applied: gate.applied, again: again, &state) ?? restored.state
                let pending = commit.id == newest.id ? nil : self.pending(newest, gate.waiting(now: now), &state)
                var reading = SourceReading(newest, desired, pending, state.loader)
                // More than one commit may have been read for this.
                let isWhole = state.knowsChanges && restored.state == nil && !again && desired?.commit.id == commit.id
                reading.changed = isWhole ? state.loader.changed : nil
                return reading
            case .wait(let wait):
                var reading = SourceReading(newest, restored.state, self.pending(newest, wait, &state), state.loader)
                switch restored {
                case .nothing, .state: break
                case .gone: reading.hasLostCommit = true
                case .failure(let error): reading.failure = error
                }
                return reading
            }
        } catch {
            // What was in force before a restart goes on, whatever is wrong with what came after.
            guard let restored = restored.state else { throw error }
            var reading = SourceReading(restored.commit, restored, nil, state.loader)
            reading.failure = error
            return reading
        }
    }

    /// Makes a commit the one in force; nil when it is already, and nobody asked to look again.
    func apply(
        _ commit: CommitSummary,
        again: Bool,
        _ state: inout State,
        _ check: Check = { _, _ in }
    ) throws -> DesiredState? {
        if let preview = state.preview, let desired = preview.desired, desired.commit.id == commit.id,
            (try? check(desired, commit.id)) != nil
        {
            (state.loader, state.preview, state.knowsChanges) = (preview, nil, true)
            try self.sources?.settle(commit.id)
            return try again ? state.loader.load(commit) : desired
        }
        guard again || state.loader.desired?.commit.id != commit.id else { return nil }
        let (desired, isWhole) = try self.load(commit, &state.loader, check)
        (state.preview, state.knowsChanges) = (nil, isWhole)
        return desired
    }

    /// Reads the newest commit beside the one in force, so that people see what it would do.
    private func pending(_ newest: CommitSummary, _ wait: SyncWait, _ state: inout State) -> PendingCommit {
        if state.preview?.desired?.commit.id != newest.id {
            var preview = state.loader
            do {
                _ = try preview.load(newest)
                state.preview = preview
            } catch {
                state.preview = nil
                return PendingCommit(commit: newest, wait: wait, desired: .failure(.wrapping(error)))
            }
        }
        let desired = state.preview?.desired ?? DesiredState(commit: newest)
        return PendingCommit(commit: newest, wait: wait, desired: .success(desired))
    }
}

extension SourceReading {
    fileprivate init(
        _ newest: CommitSummary,
        _ desired: DesiredState?,
        _ pending: PendingCommit?,
        _ loader: DesiredStateLoader
    ) {
        self.init(
            commit: newest,
            desired: desired,
            hasUnreadableFiles: loader.hasUnreadableFiles,
            pending: pending
        )
    }
}
