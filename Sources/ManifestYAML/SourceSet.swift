package import Planning
package import Schema
internal import Synchronization

/// Several repositories as one: each path begins with the name of its source, each commit is a ``CommitSet``.
///
/// So the manifests of all sources have one index, in which references cross and no name is given twice, and whatever
/// reads one repository reads many. A source that cannot be read stays at its last commit.
package final class SourceSet: SourceRepository {
    /// One source.
    package struct Member: Sendable {
        package var name: String
        package var repository: any SourceRepository
        /// Where the repository is, for people.
        package var location: String
        package var ref: String
        /// Only manifests below this folder; empty: all.
        package var path: String

        package init(name: String, repository: any SourceRepository, location: String, ref: String, path: String) {
            self.name = name
            self.repository = repository
            self.location = location
            self.ref = ref
            self.path = path
        }
    }

    /// How a source was found when it was looked at last.
    package struct Standing: Sendable {
        /// The commit that is in force; nil while none could be read.
        package var commit: CommitSummary?
        /// The newest commit that may come into force, as far as is known.
        package var newest: CommitSummary?
        /// Why the newest commit is not in force; nil when it is.
        package var failure: MartletError?
    }

    /// Names, as a sub-path, the followed folder of each source.
    package static let followedFolders = ":"

    /// In the order of their paths.
    package let members: [Member]
    /// Where a blob was found last: files are mostly read source by source.
    private let lastHit = Atomic<Int>(0)
    private let standings = Mutex<[String: Standing]>([:])

    package init(_ members: [Member]) {
        self.members = members.sorted { "\($0.name):" < "\($1.name):" }
    }

    /// How each source was found, by name.
    package var current: [String: Standing] { self.standings.withLock { $0 } }

    /// The commits that are in force; nil while there is none.
    package var inForce: CommitSummary? {
        let commits = self.current.compactMapValues(\.commit)
        return commits.isEmpty ? nil : CommitSummary(commits)
    }

    // MARK: Commits

    /// Looks at every source for an empty ref; takes the id of a ``CommitSet`` too.
    ///
    /// Throws `SourcesUnreadable` when no source has a commit, now or from before, and `RefNotFound` for other refs.
    package func resolve(_ ref: String) throws -> CommitSummary {
        if let set = CommitSet(id: ref) { return try self.resolve(set) }
        guard ref.isEmpty else {
            throw MartletError(
                "RefNotFound",
                "'\(ref)' names no commit of all sources together; each of them follows the ref of its own"
            )
        }
        let newest = self.members.map { member in (member.name, Result { try SourceSet.newest(of: member) }) }
        // A remote repository may be read as it was fetched last, and not be reached any more.
        let troubles = Dictionary(
            uniqueKeysWithValues: self.members.compactMap { member in
                member.repository.freshness?.failure.map { (member.name, $0) }
            }
        )
        let standings = self.standings.withLock { standings in
            for (name, result) in newest {
                switch result {
                case .success: standings[name, default: Standing()].failure = troubles[name]
                case .failure(let error): standings[name, default: Standing()].failure = .wrapping(error)
                }
            }
            return standings
        }
        var known = standings.compactMapValues(\.commit)
        for case (let name, .success(let commit)) in newest { known[name] = commit }
        return try self.summary(known)
    }

    /// Commits as one. Throws what is wrong with all sources when there is none.
    private func summary(_ commits: [String: CommitSummary]) throws -> CommitSummary {
        guard commits.isEmpty else { return CommitSummary(commits) }
        let standings = self.current
        let failures = self.members.compactMap { member in
            standings[member.name]?.failure.map { "\(member.name): \($0)" }
        }
        throw MartletError("SourcesUnreadable", failures.joined(separator: "; "), disposition: .retryable)
    }

    /// A commit of a source, with its signer where that was asked for.
    private func summary(of id: ObjectID, _ member: Member) throws -> CommitSummary {
        let standing = self.current[member.name]
        if let known = [standing?.commit, standing?.newest].compactMap(\.self).first(where: { $0.id == id }) {
            return known
        }
        return try member.repository.resolve(id)
    }

    private func resolve(_ set: CommitSet) throws -> CommitSummary {
        let known = try self.members.compactMap { member in
            try set.commits[member.name].map { (member.name, try member.repository.resolve($0)) }
        }
        return CommitSummary(Dictionary(uniqueKeysWithValues: known))
    }

    /// The commit that a source's ref names. A misspelt folder must not look like the removal of everything, so it is
    /// looked for first.
    package static func newest(of member: Member) throws -> CommitSummary {
        let commit = try member.repository.resolve(member.ref)
        guard !member.path.isEmpty else { return commit }
        let entry = try member.repository.resolvedEntry(at: member.path, in: commit.id)
        guard entry.kind == .folder else {
            throw MartletError("PathNotFound", "'\(member.path)' is no folder in commit \(commit.id.prefix(10))")
        }
        return commit
    }

    /// Falls back, for sources that cannot be read, on the commits that were in force before a restart.
    package func recall(_ commit: ObjectID) {
        let commits = CommitSet(id: commit)?.commits ?? [:]
        for member in self.members where self.current[member.name]?.commit == nil {
            guard let id = commits[member.name], let summary = try? member.repository.resolve(id) else { continue }
            self.standings.withLock { $0[member.name, default: Standing()].commit = summary }
        }
    }

    /// Takes from a set the commits that may come into force; a source whose commit may not stays at the one in force.
    ///
    /// Throws `SourcesUnreadable` when no source is left.
    ///
    /// - Parameters:
    ///   - inForce: The set that is in force, which nothing is asked of.
    ///   - check: Gives a commit of a source back, with its signer. Throws why it may not come into force.
    package func admit(
        _ commit: CommitSummary,
        inForce: ObjectID?,
        _ check: (CommitSummary, _ source: String) throws -> CommitSummary
    ) throws -> CommitSummary {
        let before = inForce.flatMap { CommitSet(id: $0)?.commits } ?? [:]
        var admitted: [String: CommitSummary] = [:]
        for (member, id) in self.parts(of: commit.id) {
            let newest = try self.summary(of: id, member)
            do {
                let newest = try check(newest, member.name)
                admitted[member.name] = newest
                self.standings.withLock { $0[member.name, default: Standing()].newest = newest }
            } catch {
                // What is in force stays so, whoever signed it.
                if before[member.name] != id { self.note(error, of: member.name) }
                admitted[member.name] = before[member.name].flatMap { try? self.summary(of: $0, member) }
            }
        }
        return try self.summary(admitted)
    }

    /// Notes which commits are in force from now on.
    package func settle(_ commit: ObjectID) throws {
        for (member, id) in self.parts(of: commit) {
            let summary = try self.summary(of: id, member)
            self.standings.withLock { $0[member.name, default: Standing()].commit = summary }
        }
    }

    /// Takes sources to their newest commits one by one, so that one which cannot be read stays back alone.
    ///
    /// Throws what the last of them throws when none can be read.
    package func advance(
        to newest: CommitSummary,
        _ load: (CommitSummary, _ moved: ObjectID) throws -> DesiredState
    ) throws -> DesiredState {
        var inForce = self.current.compactMapValues(\.commit)
        var result = Result<DesiredState, any Error>.failure(MartletError("SourcesUnreadable", "no source can be read"))
        for (member, id) in self.parts(of: newest.id) where inForce[member.name]?.id != id {
            do {
                var attempt = inForce
                attempt[member.name] = try self.summary(of: id, member)
                result = .success(try load(CommitSummary(attempt), id))
                inForce = attempt
                try self.settle(CommitSet(attempt.mapValues(\.id)).id)
            } catch {
                self.note(error, of: member.name)
                if case .failure = result { result = .failure(error) }
            }
        }
        return try result.get()
    }

    /// Notes that the newest commit of a source is of no use.
    package func note(_ failure: any Error, of source: String) {
        self.standings.withLock { $0[source, default: Standing()].failure = MartletError.wrapping(failure) }
    }

    package func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] {
        let commits = try self.parts(of: head).flatMap { member, id in
            try member.repository.log(from: id, under: member.path, limit: limit)
        }
        return Array(commits.sorted { $0.time > $1.time }.prefix(limit))
    }

    package func refChanges() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let changes = self.members.map { $0.repository.refChanges() }
        // Its parent is the stream, which outlives this call: whoever stops to read it ends the task.
        let forwarding = Task {
            await withDiscardingTaskGroup { group in
                for change in changes {
                    group.addTask { for await _ in change { continuation.yield() } }
                }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in forwarding.cancel() }
        return stream
    }

    package func refresh() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for member in self.members { group.addTask { try await member.repository.refresh() } }
        }
    }

    package func releaseMemory() {
        for member in self.members { member.repository.releaseMemory() }
    }

    // MARK: Trees

    /// `subpath` is ``followedFolders``, or empty for everything in the repositories.
    package func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        let earlier = base.flatMap { CommitSet(id: $0)?.commits } ?? [:]
        let later = CommitSet(id: head)?.commits ?? [:]
        var all = TreeChanges(changed: [], removed: [])
        for member in self.members {
            guard let to = later[member.name], earlier[member.name] != to else { continue }
            let folder = subpath == Self.followedFolders ? member.path : subpath
            let own = try member.repository.changes(from: earlier[member.name], to: to, under: folder)
            all.changed += own.changed.map { member.prefixed($0) }
            all.removed += own.removed.map { "\(SourcePath(member.name, $0))" }
        }
        return all
    }

    package func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        let (member, id, path) = try self.place(path, in: commit)
        return try member.repository.entry(at: path, in: id).map { member.prefixed($0) }
    }

    package func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        let (member, id, path) = try self.place(path, in: commit)
        return member.prefixed(try member.repository.resolvedEntry(at: path, in: id))
    }

    package func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        let (member, id, path) = try self.place(path, in: commit)
        return try member.repository.files(below: path, in: id).map { member.prefixed($0) }
    }

    // MARK: Blobs

    package func size(of object: ObjectID) throws -> Int64 {
        try self.inAny { try $0.size(of: object) }
    }

    package func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        try self.inAny { try $0.read(object, limit: limit) }
    }

    package func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        try self.inAny { try $0.export(object, to: file, limit: limit) }
    }

    /// A blob is the same wherever it is found.
    private func inAny<Result>(_ body: (any SourceRepository) throws -> Result) throws -> Result {
        let nowhere = "ObjectNotFound"
        var failure = MartletError(nowhere, "there is no source to read from")
        let first = self.lastHit.load(ordering: .relaxed)
        for offset in self.members.indices {
            let index = (first + offset) % self.members.count
            do {
                let result = try body(self.members[index].repository)
                if offset > 0 { self.lastHit.store(index, ordering: .relaxed) }
                return result
            } catch let error as MartletError where error.code == "BlobTooLarge" {
                throw error
            } catch {
                // What is wrong with it in one source says more than that another one does not have it.
                if failure.code == nowhere { failure = MartletError.wrapping(error) }
            }
        }
        throw failure
    }

    private func parts(of commit: ObjectID) -> [(member: Member, id: ObjectID)] {
        let commits = CommitSet(id: commit)?.commits ?? [:]
        return self.members.compactMap { member in commits[member.name].map { (member, $0) } }
    }

    private func place(_ path: String, in commit: ObjectID) throws -> (Member, ObjectID, String) {
        guard let path = SourcePath(path),
            let part = self.parts(of: commit).first(where: { $0.member.name == path.source })
        else { throw MartletError("PathNotFound", "'\(path)' is in no source that could be read") }
        return (part.member, part.id, path.path)
    }
}

extension SourceSet.Member {
    fileprivate func prefixed(_ entry: TreeEntry) -> TreeEntry {
        TreeEntry(path: "\(SourcePath(self.name, entry.path))", kind: entry.kind, object: entry.object)
    }
}

extension CommitSummary {
    /// The commits of several sources as one.
    package init(_ commits: [String: CommitSummary]) {
        let set = CommitSet(commits.mapValues(\.id))
        self.init(
            id: set.id,
            subject: set.description,
            author: "",
            time: commits.values.map(\.time).max() ?? 0
        )
    }
}
