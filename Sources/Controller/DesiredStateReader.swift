internal import Dispatch
internal import ManifestYAML
package import Planning
internal import Synchronization

/// What one read of the source gave.
package struct SourceReading: Sendable {
    package var commit: CommitSummary
    /// Nil when the commit is the one that was read before, and nobody asked to look again.
    package var desired: DesiredState?
    /// Whether some file of the commit cannot be read, so that nobody knows all that it declares.
    package var hasUnreadableFiles: Bool

    package init(commit: CommitSummary, desired: DesiredState?, hasUnreadableFiles: Bool) {
        self.commit = commit
        self.desired = desired
        self.hasUnreadableFiles = hasUnreadableFiles
    }
}

/// Reads the desired state from the newest commit of one ref of one repository.
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

    package let place: Place
    private let repository: any SourceRepository
    private let loader: Mutex<DesiredStateLoader>
    private let queue = DispatchQueue(label: "martlet.source", qos: .userInitiated)

    /// - Parameter engines: Engines that are installed here; a model that names another one gets a warning.
    package init(repository: any SourceRepository, place: Place, namespace: String, engines: Set<String> = []) {
        self.repository = repository
        self.place = place
        self.loader = Mutex(
            DesiredStateLoader(
                repository: repository,
                subpath: place.path,
                namespace: namespace,
                knownEngines: ManifestReader.defaultEngines.union(engines)
            )
        )
    }

    /// Yields whenever the ref may have moved.
    package func refChanges() -> AsyncStream<Void> {
        self.repository.refChanges()
    }

    /// Resolves the ref and reads its commit, unless it is the one that was read last.
    ///
    /// - Parameter again: reads that one too, since what it names outside of the repository may be there by now.
    package func read(again: Bool = false) async throws -> SourceReading {
        try await withCheckedThrowingContinuation { continuation in
            self.queue.async {
                continuation.resume(with: Result { try self.readNow(again: again) })
            }
        }
    }

    private func readNow(again: Bool) throws -> SourceReading {
        let commit = try self.repository.resolve(self.place.ref)
        return try self.loader.withLock { loader in
            let isKnown = loader.desired?.commit.id == commit.id
            let desired = isKnown && !again ? nil : try loader.load(commit)
            return SourceReading(commit: commit, desired: desired, hasUnreadableFiles: loader.hasUnreadableFiles)
        }
    }
}
