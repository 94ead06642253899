internal import CLibGit2
internal import Planning
internal import Schema

/// The library as a whole: started once, on first use, and kept for the life of the process.
enum LibGit2 {
    /// Starts libgit2 and limits what it may keep in memory.
    static let start: Void = {
        git_libgit2_init()
        // Trees of one folder with thousands of files are kept, so that each file in it need not inflate them anew. No more
        // is kept than a commit or two: each has new trees, and old ones are of no use.
        martlet_git_set_cache_limit(4 << 20)
        martlet_git_set_tree_cache_limit(2 << 20)
    }()

    /// Parses a full object id of 40 hexadecimal digits.
    static func objectID(_ text: ObjectID) throws -> git_oid {
        var id = git_oid()
        guard text.utf8.count == 40, git_oid_fromstr(&id, text) == 0 else {
            throw MartletError("InvalidObjectID", "'\(text)' is not a git object id of 40 hexadecimal digits")
        }
        return id
    }
}

extension git_oid {
    /// The id in lower-case hexadecimal.
    var hexadecimal: ObjectID {
        var id = self
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 41) { buffer in
            git_oid_tostr(buffer.baseAddress, buffer.count, &id)
            return buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
    }
}
