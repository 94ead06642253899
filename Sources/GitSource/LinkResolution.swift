internal import Planning
internal import Schema

/// Follows a path through one commit, symbolic links included, and never out of the repository.
///
/// It works like an operating system's path resolution, except that the root is the repository's and that a link with
/// an absolute target, or one that climbs above the root, is an error which names the link.
struct LinkResolution {
    /// As many links as Linux follows in one path.
    private static let mostLinks = 40
    /// The longest target, in bytes, that a link may have: `PATH_MAX` on Linux.
    static let longestTarget: Int64 = 4_096

    /// What stands at a path of the commit, or nil.
    let entry: (RepositoryPath) throws -> TreeEntry?
    /// Where a link leads.
    let target: (TreeEntry) throws -> String

    /// One step still to be taken, and the link that asked for it, if it was not the path itself.
    private struct Step {
        var name: String
        var link: TreeEntry?
    }

    /// The steps still to be taken; the next is last.
    private var remaining: [Step] = []
    /// The folder reached so far, free of links.
    private var reached: [String] = []
    private var linksFollowed = 0

    init(
        entry: @escaping (RepositoryPath) throws -> TreeEntry?,
        target: @escaping (TreeEntry) throws -> String
    ) {
        self.entry = entry
        self.target = target
    }

    /// The file, folder or submodule that a path leads to, at the path where it truly stands.
    mutating func resolve(_ path: RepositoryPath) throws -> TreeEntry {
        self.remaining = path.parts.reversed().map { Step(name: $0, link: nil) }
        while let step = self.remaining.popLast() {
            switch step.name {
            case ".":
                continue
            case "..":
                guard self.reached.popLast() != nil else { throw Self.leaves(path, by: step.link) }
            default:
                try self.enter(step, of: path)
            }
        }
        guard let found = try self.entry(RepositoryPath(parts: self.reached)) else {
            throw Self.missing(path, link: nil)
        }
        return found
    }

    /// Enters one name: a link puts its target before what remains, anything else is reached.
    private mutating func enter(_ step: Step, of path: RepositoryPath) throws {
        let here = RepositoryPath(parts: self.reached + [step.name])
        guard let entry = try self.entry(here) else { throw Self.missing(path, link: step.link) }
        switch entry.kind {
        case .link:
            try self.follow(entry, of: path)
        case .folder:
            self.reached.append(step.name)
        case .file, .submodule, .special:
            guard self.remaining.isEmpty else { throw Self.blocked(path, by: entry) }
            self.reached.append(step.name)
        }
    }

    private mutating func follow(_ entry: TreeEntry, of path: RepositoryPath) throws {
        self.linksFollowed += 1
        guard self.linksFollowed <= Self.mostLinks else {
            throw MartletError("PathLoops", "'\(path)' follows symbolic links in a circle, by way of '\(entry.path)'")
        }
        let target = try self.target(entry)
        guard !RelativePath.isAbsolute(target) else { throw Self.leaves(path, by: entry) }
        self.remaining += RelativePath.names(of: target).reversed().map { Step(name: $0, link: entry) }
    }

    private static func leaves(_ path: RepositoryPath, by link: TreeEntry?) -> MartletError {
        let way = link.map { "the symbolic link '\($0.path)'" } ?? "'..'"
        return MartletError(
            "PathLeavesRepository",
            "'\(path)' leaves the repository by \(way): only files of the same commit can be used"
        )
    }

    private static func missing(_ path: RepositoryPath, link: TreeEntry?) -> MartletError {
        let way = link.map { ", where the symbolic link '\($0.path)' leads," } ?? ""
        return MartletError("PathNotFound", "'\(path)'\(way) is not in the commit")
    }

    private static func blocked(_ path: RepositoryPath, by entry: TreeEntry) -> MartletError {
        MartletError("PathNotFound", "'\(path)' is not in the commit: '\(entry.path)' is a \(entry.kind.rawValue)")
    }
}
