internal import Foundation
internal import ManifestYAML
internal import Planning
internal import Schema

/// The files of one folder and of all below it, as git would commit them.
struct FileTree: Sendable {
    /// What stands at one place.
    struct Item: Sendable, Hashable {
        /// Relative to the root, `/`-separated; bytes that are no UTF-8 are shown as U+FFFD, as of a commit.
        var path: String
        /// The same as it is on disk.
        var place: [UInt8]
        var kind: TreeEntry.Kind
        /// In bytes; of a link, the length of its target; of all but files and links, 0.
        var size: Int64
        /// Seconds since 1970.
        var modified: Double
    }

    /// As many links as Linux follows in one path.
    private static let mostLinks = 40

    let root: String
    /// By its place: names that are different files may be equal strings.
    private var byPath: [[UInt8]: Item] = [:]
    /// Sorted by their places.
    private var sorted: [Item] = []

    /// Lists what `root` holds; what git's ignore files name is left out unless `isTracked` says that it is committed.
    init(root: String, isTracked: (_ path: String) -> Bool) throws {
        self.root = root
        try FileTree.requireFolder(root)
        try self.list([], ignoring: [], isTracked: isTracked)
        self.sorted = self.byPath.values.sorted { $0.place.lexicographicallyPrecedes($1.place) }
    }

    /// Throws `FolderNotFound` unless `root` is a folder.
    static func requireFolder(_ root: String) throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: root, isDirectory: &isFolder)
        guard exists, isFolder.boolValue else {
            let what = exists ? "'\(root)' is a file" : "there is no folder '\(root)'"
            throw MartletError("FolderNotFound", "\(what): name the root folder of a repository")
        }
    }

    /// What stands at a path; a link is not followed. Throws `PathInvalid`.
    func item(at path: String) throws -> Item? {
        self.byPath[Array(try FileTree.normal(path).utf8)]
    }

    /// Everything below a folder, the folder itself left out. Throws `PathInvalid` or `PathNotFound`.
    func items(below path: String) throws -> [Item] {
        let folder = try FileTree.normal(path)
        guard !folder.isEmpty else { return self.sorted }
        guard let item = self.byPath[Array(folder.utf8)] else {
            throw MartletError("PathNotFound", "there is no folder '\(folder)' in '\(self.root)'")
        }
        guard item.kind == .folder else {
            throw MartletError(
                "PathNotAFolder",
                "'\(folder)' is a \(item.kind.rawValue), not a folder of the repository"
            )
        }
        return self.sorted.filter { RelativePath.path($0.path, below: folder) != nil }
    }

    /// What a path leads to when all links on the way are followed.
    ///
    /// Throws `PathInvalid`, `PathNotFound`, `PathLoops` or `PathLeavesRepository`.
    func follow(_ path: String) throws -> Item {
        var rest = Array(RelativePath.names(of: try FileTree.normal(path)).reversed())
        var reached: [String] = []
        var links = 0
        while let name = rest.popLast() {
            if name == "." { continue }
            if name == ".." {
                guard reached.popLast() != nil else { throw FileTree.leaves(path) }
                continue
            }
            let here = (reached + [name]).joined(separator: "/")
            guard let item = self.byPath[Array(here.utf8)] else { throw self.missing(path, at: here) }
            guard item.kind == .link else {
                guard rest.isEmpty || item.kind == .folder else { throw self.missing(path, at: here) }
                reached.append(name)
                continue
            }
            links += 1
            guard links <= FileTree.mostLinks else {
                throw MartletError("PathLoops", "'\(path)' follows symbolic links in a circle, by way of '\(here)'")
            }
            let target = String(decoding: try self.read(item), as: UTF8.self)
            guard !RelativePath.isAbsolute(target) else { throw FileTree.leaves(path) }
            rest += RelativePath.names(of: target).reversed()
        }
        let end = reached.joined(separator: "/")
        return self.byPath[Array(end.utf8)] ?? Item(folder: end)
    }

    /// The bytes of a file, or a link's target.
    func read(_ item: Item) throws -> [UInt8] {
        try self.reading(item) { item.kind == .link ? try $0.linkTarget() : try $0.contents() }
    }

    /// Throws `FileUnreadable` with the reason.
    private func reading<Result>(_ item: Item, _ read: (DiskPath) throws -> Result) throws -> Result {
        do {
            return try read(self.onDisk(item.place))
        } catch {
            throw MartletError("FileUnreadable", "'\(item.path)' cannot be read", cause: error)
        }
    }

    /// The id that git would give to the content of a file or link; of anything else, the path stands for it.
    func blobID(of item: Item) throws -> ObjectID {
        switch item.kind {
        case .folder, .submodule, .special: return "\(item.kind.rawValue):\(item.path)"
        case .link:
            let target = try self.read(item)
            var hasher = ContentHasher.gitBlob(size: Int64(target.count))
            target.withUnsafeBytes { hasher.update($0) }
            return hasher.finish()
        case .file:
            return try self.reading(item) { place in
                let file = try place.open()
                defer { try? file.close() }
                var hasher = ContentHasher.gitBlob(size: item.size)
                while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
                    piece.withUnsafeBytes { hasher.update($0) }
                }
                return hasher.finish()
            }
        }
    }

    private func onDisk(_ place: [UInt8]) -> DiskPath {
        DiskPath(self.root).appending(place)
    }

    /// A path without empty and `.` parts.
    private static func normal(_ path: String) throws -> String {
        let parts = RelativePath.names(of: path).filter { $0 != "." }
        guard !RelativePath.isAbsolute(path), !parts.contains("..") else {
            throw MartletError(
                "PathInvalid",
                "'\(path)' is not a path within the repository: write it from the repository's root, without '..'"
            )
        }
        return parts.joined(separator: "/")
    }

    private static func leaves(_ path: String) -> MartletError {
        MartletError(
            "PathLeavesRepository",
            "'\(path)' leaves the repository by a symbolic link: only its own files can be used"
        )
    }

    private func missing(_ path: String, at here: String) -> MartletError {
        let isOnDisk = FileManager.default.fileExists(atPath: "\(self.root)/\(path)")
        return MartletError(
            "PathNotFound",
            isOnDisk
                ? "'\(path)' would not be in the commit: git ignores it" : "'\(path)' is not in the work tree"
        )
    }
}

// MARK: - Listing

extension FileTree {
    /// Rules of one ignore file, and the folder that it stands in.
    private typealias Ignoring = (folder: String, rules: IgnoreRules)

    private mutating func list(
        _ folder: [UInt8],
        ignoring above: [Ignoring],
        isTracked: (_ path: String) -> Bool
    ) throws {
        let shown = String(decoding: folder, as: UTF8.self)
        var ignoring = above
        if let text = try? self.onDisk(FileTree.place(Array(".gitignore".utf8), in: folder)).contents() {
            ignoring.append((shown, IgnoreRules(parsing: String(decoding: text, as: UTF8.self))))
        }
        let names: [[UInt8]]
        do {
            names = try self.onDisk(folder).names()
        } catch {
            let path = shown.isEmpty ? self.root : "\(self.root)/\(shown)"
            throw MartletError("FolderUnreadable", "'\(path)' cannot be listed", cause: error)
        }
        for name in names where name != Array(".git".utf8) {
            guard let item = self.look(at: FileTree.place(name, in: folder)) else { continue }
            let isIgnored = ignoring.contains { folder, rules in
                rules.matches(RelativePath.path(item.path, below: folder) ?? "", isFolder: item.kind == .folder)
            }
            if isIgnored, !isTracked(item.path) { continue }
            self.byPath[item.place] = item
            if item.kind == .folder { try self.list(item.place, ignoring: ignoring, isTracked: isTracked) }
        }
    }

    private static func place(_ name: [UInt8], in folder: [UInt8]) -> [UInt8] {
        folder.isEmpty ? name : folder + [UInt8(ascii: "/")] + name
    }

    /// What stands at a place; nil for nothing.
    private func look(at place: [UInt8]) -> Item? {
        guard let status = self.onDisk(place).status() else { return nil }
        let path = String(decoding: place, as: UTF8.self)
        let modified = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        let item = { (kind: TreeEntry.Kind, size: Int64) in
            Item(path: path, place: place, kind: kind, size: size, modified: modified)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return item(.file, Int64(status.st_size))
        case S_IFLNK: return item(.link, Int64(status.st_size))
        case S_IFDIR:
            let isRepository = self.onDisk(FileTree.place(Array(".git".utf8), in: place)).status() != nil
            return item(isRepository ? .submodule : .folder, 0)
        default: return item(.special, 0)
        }
    }
}

extension FileTree.Item {
    /// A folder of which nothing but its path is known.
    fileprivate init(folder path: String) {
        self.init(path: path, place: Array(path.utf8), kind: .folder, size: 0, modified: 0)
    }
}
