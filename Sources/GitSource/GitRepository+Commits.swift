internal import CLibGit2
package import Planning
internal import Schema

extension GitRepository {
    package func resolve(_ ref: String) throws -> CommitSummary {
        try self.handles.read { handle in
            do {
                return try handle.summary(of: try handle.commitID(of: ref))
            } catch let error as MartletError where error.code == "RefNotFound" {
                throw try handle.explain(error, ref: ref)
            }
        }
    }

    package func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] {
        let start = try LibGit2.objectID(head)
        let path = try RepositoryPath(subpath)
        return try self.handles.read { handle in
            var walk = CommitWalk(handle: handle, path: path)
            return try walk.run(from: start, limit: limit).map { try handle.summary(of: $0) }
        }
    }
}

extension RepositoryHandle {
    /// The commit that a ref stands for.
    ///
    /// A full id is only ever an id, and a branch comes before a tag of the same name, so that pushing a tag cannot
    /// redirect a watched branch. Everything else is read by git's own revision rules.
    fileprivate func commitID(of ref: String) throws(MartletError) -> git_oid {
        guard !ref.isEmpty, !ref.utf8.contains(0) else {
            throw MartletError("RefNotFound", "there is no branch, tag or commit '\(ref)'", disposition: .waiting)
        }
        var found: OpaquePointer?
        defer { git_object_free(found) }
        var outcome = GIT_ENOTFOUND.rawValue
        if var id = try? LibGit2.objectID(ref) {
            outcome = git_object_lookup(&found, self.repository, &id, GIT_OBJECT_ANY)
        }
        for name in ["refs/heads/\(ref)", ref] where outcome != 0 {
            outcome = git_revparse_single(&found, self.repository, name)
        }
        try check(outcome, .resolve(ref: ref))

        var commit: OpaquePointer?
        defer { git_object_free(commit) }
        let peeled = git_object_peel(&commit, found, GIT_OBJECT_COMMIT)
        // Peeling a tree or a blob is reported as an invalid request, not as one that cannot be peeled.
        try check(peeled == GIT_EINVALIDSPEC.rawValue ? GIT_EPEEL.rawValue : peeled, .resolve(ref: ref))
        return git_object_id(commit).pointee
    }

    /// What people see of a commit.
    fileprivate func summary(of id: git_oid) throws(MartletError) -> CommitSummary {
        let commit = try self.commit(id)
        defer { git_commit_free(commit) }
        let author = git_commit_author(commit)?.pointee
        return CommitSummary(
            id: id.hexadecimal,
            subject: git_commit_summary(commit).map { String(cString: $0) } ?? "",
            author: author.map { "\(String(cString: $0.name)) <\(String(cString: $0.email))>" } ?? "",
            time: git_commit_time(commit)
        )
    }

    /// Says why a ref is not there: nothing was committed yet, or it is misspelt.
    fileprivate func explain(_ error: MartletError, ref: String) throws -> MartletError {
        let names = try self.branchesAndTags()
        if git_repository_head_unborn(self.repository) == 1, names.isEmpty || ref == "HEAD" {
            return MartletError(
                "RepositoryEmpty",
                "the repository has no commit on '\(self.unbornBranch ?? ref)' yet: commit or push to it first",
                disposition: .waiting
            )
        }
        return MartletError(
            error.code,
            error.message + NearestWord.hint(for: ref, among: names),
            disposition: error.disposition
        )
    }

    /// The branch that HEAD names, whether it exists or not.
    private var unbornBranch: String? {
        var head: OpaquePointer?
        guard git_reference_lookup(&head, self.repository, "HEAD") == 0 else { return nil }
        defer { git_reference_free(head) }
        let target = git_reference_symbolic_target(head).map { String(cString: $0) }
        return target.map { $0.hasPrefix("refs/heads/") ? String($0.dropFirst("refs/heads/".count)) : $0 }
    }

    private func branchesAndTags() throws -> [String] {
        var names = git_strarray()
        try check(git_reference_list(&names, self.repository), .resolve(ref: "refs"))
        defer { git_strarray_dispose(&names) }
        return UnsafeBufferPointer(start: names.strings, count: names.count).compactMap { pointer in
            guard let name = pointer.map({ String(cString: $0) }) else { return nil }
            let prefix = ["refs/heads/", "refs/tags/", "refs/remotes/"].first { name.hasPrefix($0) }
            return prefix.map { String(name.dropFirst($0.count)) }
        }
    }
}
