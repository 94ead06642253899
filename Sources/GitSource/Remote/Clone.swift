internal import CLibGit2
internal import Glibc
internal import Schema

/// A bare repository that fetches write to: the clone itself, or the quarantine in front of it.
struct Clone {
    let folder: CloneFolder
    let handle: RepositoryHandle

    /// Opens the clone in a folder, and makes it where there is none.
    ///
    /// A damaged clone makes way for a new one, and stays aside until a fetch ends well. One that merely cannot be read,
    /// for want of descriptors or rights or because of the disk, throws `CloneUnreadable` and stays as it is.
    init(opening folder: CloneFolder) throws {
        do {
            self.init(folder: folder, handle: try RepositoryHandle(path: folder.path))
            try self.checkFollowed()
        } catch let error as MartletError {
            if let failure = error.cause as? GitFailure, [GIT_ERROR_OS, GIT_ERROR_NOMEMORY].contains(failure.category) {
                throw folder.unreadable(failure.description)
            }
            // libgit2 takes a file that it cannot open for one that is not there.
            try folder.checkReadable()
            try folder.setAside()
            self.init(folder: folder, handle: try Self.make(at: folder.path))
        }
    }

    private init(folder: CloneFolder, handle: RepositoryHandle) {
        self.folder = folder
        self.handle = handle
    }

    /// Makes the repository that a fetch writes into; it borrows the objects of the clone, and offers its refs as what
    /// is here already.
    func makeQuarantine() throws -> Clone {
        let path = self.folder.quarantine
        _ = try Self.make(at: path)
        let line = Array("\(self.folder.objects)\n".utf8)
        try line.withUnsafeBytes { try BlobFile(path: "\(path)/objects/info/alternates").write($0) }
        let quarantine = Clone(folder: self.folder, handle: try RepositoryHandle(path: path))
        for (name, id) in try self.refs() { try quarantine.set(name, to: id) }
        return quarantine
    }

    private static func make(at path: String) throws -> RepositoryHandle {
        _ = LibGit2.start
        var options = git_repository_init_options()
        git_repository_init_options_init(&options, UInt32(GIT_REPOSITORY_INIT_OPTIONS_VERSION))
        options.flags = GIT_REPOSITORY_INIT_BARE.rawValue | GIT_REPOSITORY_INIT_MKPATH.rawValue
        var made: OpaquePointer?
        defer { git_repository_free(made) }
        try check(git_repository_init_ext(&made, path, &options), .openRepository(path: path))
        return try RepositoryHandle(path: path)
    }

    /// The commit that is followed, as far as one was fetched.
    func followed() throws -> git_oid? {
        var id = git_oid()
        let outcome = git_reference_name_to_id(&id, self.handle.repository, CloneFolder.followedRef)
        if outcome == GIT_ENOTFOUND.rawValue { return nil }
        try check(outcome, .resolve(ref: CloneFolder.followedRef))
        return id
    }

    /// Makes readers see a commit from now on. What they saw before is kept where its history is not part of it.
    func follow(_ commit: git_oid) throws {
        if let former = try self.followed() {
            var (former, commit) = (former, commit)
            if git_graph_descendant_of(self.handle.repository, &commit, &former) != 1 {
                let last = try self.replaced().last.flatMap { Int($0.name.split(separator: "/").last ?? "") } ?? 0
                let number = String(last + 1)
                let padded = String(repeating: "0", count: max(0, 12 - number.count)) + number
                try self.set("\(CloneFolder.replacedRefs)\(padded)", to: former)
            }
        }
        try self.set(CloneFolder.followedRef, to: commit)
    }

    /// The former values of the followed ref that are kept, oldest first.
    func replaced() throws -> [(name: String, id: git_oid)] {
        try self.refs().filter { $0.name.hasPrefix(CloneFolder.replacedRefs) }
    }

    /// All refs of Martlet's, sorted by name.
    func refs() throws -> [(name: String, id: git_oid)] {
        var names = git_strarray()
        try check(git_reference_list(&names, self.handle.repository), .resolve(ref: "refs"))
        defer { git_strarray_dispose(&names) }
        let all = UnsafeBufferPointer(start: names.strings, count: names.count).compactMap { pointer in
            pointer.map { String(cString: $0) }
        }
        return all.filter { $0.hasPrefix("refs/martlet/") }.sorted().compactMap { name in
            var id = git_oid()
            return git_reference_name_to_id(&id, self.handle.repository, name) == 0 ? (name, id) : nil
        }
    }

    func set(_ name: String, to id: git_oid) throws {
        var id = id
        var reference: OpaquePointer?
        defer { git_reference_free(reference) }
        try check(git_reference_create(&reference, self.handle.repository, name, &id, 1, nil), .resolve(ref: name))
    }

    func remove(_ name: String) {
        git_reference_remove(self.handle.repository, name)
    }

    /// Throws unless the commit that is followed, if any, is here with its tree.
    private func checkFollowed() throws {
        guard self.folder.hasFollowedRef, let id = try self.followed() else { return }
        git_tree_free(try self.handle.tree(try self.handle.treeID(ofCommit: id)))
    }

    /// The commit that an object is, or that a tag leads to.
    func commit(of id: git_oid, named ref: String) throws -> git_oid {
        var id = id
        var object: OpaquePointer?
        defer { git_object_free(object) }
        try check(git_object_lookup(&object, self.handle.repository, &id, GIT_OBJECT_ANY), .resolve(ref: ref))
        var commit: OpaquePointer?
        defer { git_object_free(commit) }
        let peeled = git_object_peel(&commit, object, GIT_OBJECT_COMMIT)
        try check(peeled == GIT_EINVALIDSPEC.rawValue ? GIT_EPEEL.rawValue : peeled, .resolve(ref: ref))
        return git_object_id(commit).pointee
    }

    /// Throws `PackIncomplete` unless the commit's whole tree and history are here; the history of `known` is.
    func checkCompleteness(of commit: git_oid, known: git_oid?) throws {
        do {
            try self.checkHistory(of: commit, known: known)
            var seen: Set<String> = []
            try self.checkTree(try self.handle.treeID(ofCommit: commit), &seen, depth: 0)
        } catch let error as MartletError {
            throw MartletError(
                "PackIncomplete",
                "the server left out parts of commit \(commit.hexadecimal.prefix(10)): `git fsck` on the server says what "
                    + "it lacks",
                disposition: .retryable,
                cause: error
            )
        }
    }

    private func checkHistory(of commit: git_oid, known: git_oid?) throws {
        var walk: OpaquePointer?
        try check(git_revwalk_new(&walk, self.handle.repository), .read(object: commit))
        defer { git_revwalk_free(walk) }
        var (start, next) = (commit, git_oid())
        try check(git_revwalk_push(walk, &start), .read(object: commit))
        if var known { try check(git_revwalk_hide(walk, &known), .read(object: known)) }
        while true {
            let outcome = git_revwalk_next(&next, walk)
            if outcome == GIT_ITEROVER.rawValue { return }
            try check(outcome, .read(object: commit))
        }
    }

    private func checkTree(_ id: git_oid, _ seen: inout Set<String>, depth: Int) throws {
        guard depth < 256, seen.insert(id.hexadecimal).inserted else { return }
        let tree = try self.handle.tree(id)
        defer { git_tree_free(tree) }
        for index in 0..<git_tree_entrycount(tree) {
            guard let entry = git_tree_entry_byindex(tree, index), var child = git_tree_entry_id(entry)?.pointee else {
                continue
            }
            switch git_tree_entry_type(entry) {
            case GIT_OBJECT_TREE:
                try self.checkTree(child, &seen, depth: depth + 1)
            case GIT_OBJECT_BLOB where git_odb_exists(self.handle.objects, &child) != 1:
                throw MartletError("ObjectNotFound", "object \(child.hexadecimal) is missing")
            default:
                break
            }
        }
    }
}
