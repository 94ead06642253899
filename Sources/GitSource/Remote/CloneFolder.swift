internal import Glibc
internal import Schema

/// The folder of one bare clone: where its parts lie, and what may be tidied away there.
///
/// A fetch writes into `incoming/` alone, which borrows the objects of the clone. Only what has arrived whole and was
/// checked is moved over, pack by pack, so that a clone never holds half of anything, whenever a fetch is cut short.
struct CloneFolder {
    /// The one ref that readers follow.
    static let followedRef = "refs/martlet/followed"
    /// Former values of it that its present history does not contain.
    static let replacedRefs = "refs/martlet/replaced/"

    let path: String

    var incoming: String { "\(self.path)/incoming" }
    /// The bare repository that a fetch writes into.
    var quarantine: String { "\(self.incoming)/repository" }
    /// What a fetching process takes for the home of its user.
    var home: String { "\(self.incoming)/home" }
    var objects: String { "\(self.path)/objects" }
    var packs: String { "\(self.objects)/pack" }
    /// Where a damaged clone waits for a fetch that ends well.
    private var damaged: String { "\(self.path)/damaged" }

    /// Whether some fetch has ended well.
    var hasFollowedRef: Bool { access("\(self.path)/\(Self.followedRef)", F_OK) == 0 }

    /// Locks the clone against other fetching processes, until ``unlock(_:)`` or the end of this one.
    ///
    /// Throws `CloneInUse` when it is locked and that is not to be waited for.
    func lock(waiting: Bool) throws -> Int32 {
        let file = "\(self.path)/martlet.lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(file) }
        while flock(descriptor, LOCK_EX | (waiting ? 0 : LOCK_NB)) != 0 {
            if errno == EINTR { continue }
            defer { close(descriptor) }
            guard errno == EWOULDBLOCK else { throw Self.failure(file) }
            throw MartletError("CloneInUse", "another process fetches into '\(self.path)'", disposition: .retryable)
        }
        return descriptor
    }

    func unlock(_ lock: Int32) {
        close(lock)
    }

    /// Makes the folder, with those above it; only the owner may look inside.
    func make() throws {
        var folder = ""
        for part in RelativePath.names(of: self.path) {
            folder += "/\(part)"
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.failure(folder) }
        }
    }

    /// Throws `CloneUnreadable` where something is there and cannot be opened.
    func checkReadable() throws {
        try self.checkReadable(self.path)
    }

    private func checkReadable(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw self.unreadable("\(path): \(String(cString: strerror(errno)))")
        }
        close(descriptor)
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        for name in Self.names(in: path) { try self.checkReadable("\(path)/\(name)") }
    }

    /// Puts everything aside, so that the next fetch begins anew. The lock must be held.
    ///
    /// What is aside already is older and has more in it than what was begun since, so it stays.
    func setAside() throws {
        guard mkdir(self.damaged, 0o700) == 0 || errno == EEXIST else { throw Self.failure(self.damaged) }
        for name in Self.names(in: self.path) where !["martlet.lock", "incoming", "damaged"].contains(name) {
            let (source, target) = ("\(self.path)/\(name)", "\(self.damaged)/\(name)")
            if access(target, F_OK) == 0 {
                Self.removeAll(source)
            } else if rename(source, target) != 0 {
                throw Self.failure(source)
            }
        }
    }

    /// Removes what was set aside, since a fetch has replaced it. The lock must be held.
    func removeSetAside() {
        Self.removeAll(self.damaged)
    }

    /// Removes what a fetch that was cut short has left. The lock must be held.
    func sweep() {
        Self.removeAll(self.incoming)
        let packs = Set(Self.names(in: self.packs))
        for name in packs {
            let isWhole = Self.isPack(name) || (Self.isIndex(name) && packs.contains(name.dropLast(4) + ".pack"))
            let hasIndex = !name.hasSuffix(".pack") || packs.contains(name.dropLast(5) + ".idx")
            if !isWhole || !hasIndex { unlink("\(self.packs)/\(name)") }
        }
        for folder in ["refs/martlet", "refs/martlet/replaced"] {
            for name in Self.names(in: "\(self.path)/\(folder)") where name.hasSuffix(".lock") {
                unlink("\(self.path)/\(folder)/\(name)")
            }
        }
    }

    /// Moves whole packs from `incoming/` into the clone, where readers find them from then on.
    func adoptPacks(from folder: String) throws {
        let names = Self.names(in: folder)
        // A pack is found by its index, so that comes last.
        for name in names.filter(Self.isPack) + names.filter(Self.isIndex) {
            let (source, target) = ("\(folder)/\(name)", "\(self.packs)/\(name)")
            guard rename(source, target) == 0 else { throw Self.failure(target) }
        }
        let descriptor = open(self.packs, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(self.packs) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.failure(self.packs) }
    }

    /// The names of all packs, without their endings.
    func packNames() -> Set<String> { Self.packNames(in: self.packs) }

    /// The names of all packs in a folder, without their endings.
    static func packNames(in folder: String) -> Set<String> {
        Set(self.names(in: folder).filter(self.isPack).map { String($0.dropLast(5)) })
    }

    /// Removes packs whose objects stand elsewhere too, or are of no use.
    func remove(packs: Set<String>) {
        for name in packs {
            // Without its index nobody begins to read a pack.
            unlink("\(self.packs)/\(name).idx")
            unlink("\(self.packs)/\(name).pack")
        }
    }

    /// How many bytes the packs hold.
    func packBytes() -> Int64 {
        self.packNames().reduce(0) { sum, name in
            var status = stat()
            return stat("\(self.packs)/\(name).pack", &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }

    /// How many bytes this user may still write on the disk of the clone; nil when nobody knows.
    func freeBytes() -> Int64? {
        var status = statvfs()
        guard statvfs(self.path, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    private static func isPack(_ name: String) -> Bool { name.hasPrefix("pack-") && name.hasSuffix(".pack") }

    private static func isIndex(_ name: String) -> Bool { name.hasPrefix("pack-") && name.hasSuffix(".idx") }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a folder with everything in it; links are removed, not followed.
    private static func removeAll(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in self.names(in: path) { self.removeAll("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    /// Says that the clone cannot be read, which is no reason to fetch it anew.
    func unreadable(_ why: String) -> MartletError {
        MartletError(
            "CloneUnreadable",
            "the clone '\(self.path)' cannot be read and is left as it is (\(why)): check its rights, its disk and the "
                + "limit on open files; one that is beyond repair may be removed, and is then fetched anew",
            disposition: .retryable
        )
    }

    private static func failure(_ path: String) -> MartletError {
        MartletError(
            "CloneNotWritable",
            "'\(path)' in the clone of the repository cannot be written: \(String(cString: strerror(errno))); check the "
                + "state directory and its disk",
            disposition: .retryable
        )
    }
}
