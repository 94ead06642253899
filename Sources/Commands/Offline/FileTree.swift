internal import Foundation
internal import ManifestYAML
internal import Planning
internal import Schema

/// The files of one folder and of all below it, as git would commit them.
struct FileTree: Sendable {
    /// A file, a link, a folder or a submodule.
    struct Item: Sendable, Hashable {
        /// Relative to the root, `/`-separated.
        var path: String
        var kind: TreeEntry.Kind
        /// In bytes; of a link, the length of its target; of a folder, 0.
        var size: Int64
        /// Seconds since 1970.
        var modified: Double
    }

    /// As many links as Linux follows in one path.
    private static let mostLinks = 40

    let root: String
    /// By the bytes of the path: names that are different files may be equal strings.
    private var byPath: [[UInt8]: Item] = [:]
    /// Sorted by the bytes of their paths.
    private var sorted: [Item] = []

    /// Lists what `root` holds; what git's ignore files name is left out unless `isTracked` says that it is committed.
    init(root: String, isTracked: (_ path: String) -> Bool) throws {
        self.root = root
        try FileTree.requireFolder(root)
        try self.list("", ignoring: [], isTracked: isTracked)
        self.sorted = self.byPath.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// Throws `FolderNotFound` unless `root` is a folder.
    static func requireFolder(_ root: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder), isFolder.boolValue else {
            throw MartletError("FolderNotFound", "there is no folder '\(root)'")
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
        guard self.byPath[Array(folder.utf8)]?.kind == .folder else {
            throw MartletError("PathNotFound", "there is no folder '\(folder)' in '\(self.root)'")
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
        return self.byPath[Array(end.utf8)] ?? Item(path: end, kind: .folder, size: 0, modified: 0)
    }

    /// The bytes of a file, or a link's target.
    func read(_ item: Item) throws -> [UInt8] {
        let file = self.absolute(item.path)
        do {
            if item.kind == .link {
                return Array(try FileManager.default.destinationOfSymbolicLink(atPath: file).utf8)
            }
            return Array(try Data(contentsOf: URL(filePath: file)))
        } catch {
            throw MartletError("FileUnreadable", "'\(item.path)' cannot be read", cause: error)
        }
    }

    /// The id that git would give to the content of a file or link; a folder's path stands for it.
    func blobID(of item: Item) throws -> ObjectID {
        switch item.kind {
        case .folder, .submodule: return "folder:\(item.path)"
        case .link:
            let target = try self.read(item)
            return FileTree.blobID(size: Int64(target.count), pieces: [Data(target)])
        case .file:
            guard let file = FileHandle(forReadingAtPath: self.absolute(item.path)) else {
                throw MartletError("FileUnreadable", "'\(item.path)' cannot be read")
            }
            defer { try? file.close() }
            let pieces = sequence(state: file) { file in
                (try? file.read(upToCount: 1 << 20)).flatMap { $0.isEmpty ? nil : $0 }
            }
            return FileTree.blobID(size: item.size, pieces: pieces)
        }
    }

    private static func blobID(size: Int64, pieces: some Sequence<Data>) -> ObjectID {
        var hasher = ContentHasher.gitBlob(size: size)
        for piece in pieces { piece.withUnsafeBytes { hasher.update($0) } }
        return hasher.finish()
    }

    private func absolute(_ path: String) -> String {
        path.isEmpty ? self.root : "\(self.root)/\(path)"
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
        let isOnDisk = FileManager.default.fileExists(atPath: self.absolute(path))
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
        _ folder: String,
        ignoring above: [Ignoring],
        isTracked: (_ path: String) -> Bool
    ) throws {
        var ignoring = above
        let ignoreFile = folder.isEmpty ? ".gitignore" : "\(folder)/.gitignore"
        if let text = try? String(contentsOfFile: self.absolute(ignoreFile), encoding: .utf8) {
            ignoring.append((folder, IgnoreRules(parsing: text)))
        }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: self.absolute(folder))
        } catch {
            throw MartletError("FolderUnreadable", "'\(self.absolute(folder))' cannot be listed", cause: error)
        }
        for name in names where name != ".git" {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            guard let item = try self.look(at: path) else { continue }
            let isIgnored = ignoring.contains { folder, rules in
                rules.matches(RelativePath.path(path, below: folder) ?? "", isFolder: item.kind == .folder)
            }
            if isIgnored, !isTracked(path) { continue }
            self.byPath[Array(path.utf8)] = item
            if item.kind == .folder { try self.list(path, ignoring: ignoring, isTracked: isTracked) }
        }
    }

    /// What stands at a path, or nil for what git would not commit: sockets, pipes, devices.
    private func look(at path: String) throws -> Item? {
        var status = stat()
        guard lstat(self.absolute(path), &status) == 0 else { return nil }
        let modified = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        let size = Int64(status.st_size)
        switch status.st_mode & S_IFMT {
        case S_IFREG: return Item(path: path, kind: .file, size: size, modified: modified)
        case S_IFLNK: return Item(path: path, kind: .link, size: size, modified: modified)
        case S_IFDIR:
            let isRepository = FileManager.default.fileExists(atPath: self.absolute(path) + "/.git")
            return Item(path: path, kind: isRepository ? .submodule : .folder, size: 0, modified: modified)
        default: return nil
        }
    }
}
