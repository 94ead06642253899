internal import CLibGit2
internal import Planning
internal import Schema

/// Walks a history backwards and keeps the commits that change what stands at one path.
///
/// A merge that took the path unchanged from one parent is left out together with the other parents' histories, as
/// `git log -- path` does it. A shallow clone's history ends where its commits end.
struct CommitWalk {
    let handle: RepositoryHandle
    let path: RepositoryPath
    /// Commits that were found and not yet looked at; the newest is last.
    private var frontier: [(id: git_oid, time: Int64)] = []
    private var seen: Set<ObjectID> = []

    init(handle: RepositoryHandle, path: RepositoryPath) {
        self.handle = handle
        self.path = path
    }

    /// The ids of at most `limit` commits, newest first.
    mutating func run(from start: git_oid, limit: Int) throws -> [git_oid] {
        try self.find(start)
        var found: [git_oid] = []
        while found.count < limit, let next = self.frontier.popLast() {
            if try self.visit(next.id) { found.append(next.id) }
        }
        return found
    }

    /// Finds a commit's parents and says whether the commit itself changes the path.
    private mutating func visit(_ id: git_oid) throws -> Bool {
        let parents = try self.parents(of: id)
        let present = try self.content(of: id)
        if !self.path.isRoot {
            for parent in parents where try self.content(of: parent) == present {
                try self.find(parent)
                return false
            }
        }
        for parent in parents { try self.find(parent) }
        return self.path.isRoot || !parents.isEmpty || present != nil
    }

    /// What stands at the path: only the id counts, and nil is nothing.
    private func content(of id: git_oid) throws -> ObjectID? {
        try self.handle.entry(at: self.path, below: try self.handle.treeID(ofCommit: id))?.object
    }

    private func parents(of id: git_oid) throws -> [git_oid] {
        let commit = try self.handle.commit(id)
        defer { git_commit_free(commit) }
        let parents = (0..<git_commit_parentcount(commit)).compactMap { git_commit_parent_id(commit, $0)?.pointee }
        guard git_repository_is_shallow(self.handle.repository) == 1 else { return parents }
        return parents.filter { parent in
            var parent = parent
            return git_odb_exists(self.handle.objects, &parent) == 1
        }
    }

    /// Puts a commit into the frontier at its place in time, once.
    private mutating func find(_ id: git_oid) throws {
        guard self.seen.insert(id.hexadecimal).inserted else { return }
        let commit = try self.handle.commit(id)
        defer { git_commit_free(commit) }
        let time = git_commit_time(commit)
        let place = self.frontier.firstIndex { $0.time >= time } ?? self.frontier.endIndex
        self.frontier.insert((id, time), at: place)
    }
}
