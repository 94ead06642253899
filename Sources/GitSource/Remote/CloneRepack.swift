internal import CLibGit2
internal import Schema

/// Writes all that the kept refs reach into one pack, and drops the rest.
///
/// Each fetch adds a pack, and a branch that is pushed by force leaves objects behind; libgit2 has no `gc` of its own.
struct CloneRepack {
    /// How many former values of the followed ref stay readable.
    private static let keptReplaced = 8

    let request: FetchRequest
    let folder: CloneFolder

    init(_ request: FetchRequest, _ folder: CloneFolder) {
        self.request = request
        self.folder = folder
    }

    func run() throws -> FetchAnswer {
        let clone = try Clone(opening: self.folder)
        guard let followed = try clone.followed() else {
            throw MartletError(
                "NotFetchedYet",
                "'\(self.request.address)' has not been fetched yet",
                disposition: .waiting
            )
        }
        guard (self.folder.freeBytes() ?? .max) - self.folder.packBytes() > self.request.reservedBytes else {
            throw MartletError(
                "DiskAlmostFull",
                "the disk of '\(self.folder.path)' has no room for repacking it: make room",
                disposition: .waiting
            )
        }
        for (name, _) in try clone.replaced().dropLast(Self.keptReplaced) { clone.remove(name) }
        let former = self.folder.packNames()
        let quarantine = try clone.makeQuarantine()
        let packs = "\(self.folder.quarantine)/objects/pack"
        try self.pack(try clone.refs().map(\.id), of: quarantine, into: packs)
        let fresh = CloneFolder.packNames(in: packs)
        try self.folder.adoptPacks(from: packs)
        self.folder.remove(packs: former.subtracting(fresh))
        return FetchAnswer(
            commit: followed.hexadecimal,
            packs: self.folder.packNames().count,
            bytes: self.folder.packBytes()
        )
    }

    private func pack(_ commits: [git_oid], of repository: Clone, into path: String) throws {
        let git = repository.handle.repository
        var walk: OpaquePointer?
        try Self.check(git_revwalk_new(&walk, git))
        defer { git_revwalk_free(walk) }
        for var commit in commits { try Self.check(git_revwalk_push(walk, &commit)) }
        var builder: OpaquePointer?
        try Self.check(git_packbuilder_new(&builder, git))
        defer { git_packbuilder_free(builder) }
        git_packbuilder_set_threads(builder, 1)
        try Self.check(git_packbuilder_insert_walk(builder, walk))
        try Self.check(git_packbuilder_write(builder, path, 0, nil, nil))
    }

    private static func check(_ outcome: Int32) throws {
        guard outcome < 0 else { return }
        throw MartletError(
            "RepackFailed",
            "the clone cannot be repacked; it is used as it is",
            disposition: .retryable,
            cause: GitFailure(outcome)
        )
    }
}
