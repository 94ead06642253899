internal import CLibGit2
internal import Planning
internal import Schema

/// A commit object taken apart: its signature, and the bytes that were signed.
struct SignedCommit: Sendable {
    /// The programs that make signatures, told apart by how these begin.
    enum Format: Sendable, Hashable {
        case ssh
        case openPGP
        /// X.509 and whatever comes: nothing here can check it.
        case other(String)
    }

    var signature: [UInt8]
    var payload: [UInt8]
    /// The committer's time, in seconds since 1970.
    var time: Int64

    var format: Format {
        let first = self.signature.prefix { $0 != UInt8(ascii: "\n") }
        let line = String(decoding: first, as: UTF8.self)
        switch line {
        case "-----BEGIN SSH SIGNATURE-----": return .ssh
        case "-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----": return .openPGP
        default: return .other(String(line.prefix(60)))
        }
    }
}

extension RepositoryHandle {
    /// Takes a commit apart; nil when it carries no signature.
    func signedCommit(_ id: git_oid) throws(MartletError) -> SignedCommit? {
        let commit = try self.commit(id)
        defer { git_commit_free(commit) }
        var (signature, payload) = (git_buf(), git_buf())
        defer {
            git_buf_dispose(&signature)
            git_buf_dispose(&payload)
        }
        var id = id
        let outcome = git_commit_extract_signature(&signature, &payload, self.repository, &id, nil)
        if outcome == GIT_ENOTFOUND.rawValue { return nil }
        try check(outcome, .read(object: id))
        return SignedCommit(
            signature: Self.bytes(of: signature),
            payload: Self.bytes(of: payload),
            time: git_commit_time(commit)
        )
    }

    private static func bytes(of buffer: git_buf) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: buffer.ptr, count: buffer.size))
    }
}
