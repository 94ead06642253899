internal import Foundation
package import Planning
internal import Synchronization

/// A git repository in a temporary folder for one test; the folder goes when the last reference goes.
///
/// Everything runs through the `git` command in an environment of its own: no configuration of the user or the system,
/// a fixed author, and a clock that starts at 1,700,000,000 and advances one second with each commit, so that the same
/// calls make the same commit ids on every machine.
package final class TemporaryRepository: Sendable {
    /// The work tree, or the repository itself when it is bare.
    package let path: String
    private let commitCount = Mutex(0)

    /// Makes an empty repository whose unborn branch is `branch`.
    package init(branch: String = "main", bare: Bool = false) throws {
        self.path = try Self.makeFolder()
        try self.git(["init", "--quiet", "--initial-branch", branch] + (bare ? ["--bare"] : []))
    }

    /// Makes a bare clone of another repository as it is now.
    package init(bareCloneOf other: TemporaryRepository) throws {
        self.path = try Self.makeFolder()
        try self.git(["clone", "--quiet", "--bare", other.path, self.path])
    }

    deinit {
        // A folder that cannot be removed is left to the system's own cleaning of temporary files.
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// The git directory: `.git` in a work tree, the repository itself when it is bare.
    package var gitDirectory: String {
        let inside = "\(self.path)/.git"
        return FileManager.default.fileExists(atPath: inside) ? inside : self.path
    }

    /// The absolute path of a file of the work tree.
    package func absolute(_ path: String) -> String {
        "\(self.path)/\(path)"
    }

    /// Writes a text file into the work tree and makes the folders above it.
    package func write(_ path: String, _ contents: String) throws {
        try self.write(path, bytes: Array(contents.utf8))
    }

    /// Writes a binary file into the work tree and makes the folders above it.
    package func write(_ path: String, bytes: [UInt8]) throws {
        try self.makeParent(of: path)
        try Data(bytes).write(to: URL(fileURLWithPath: self.absolute(path)))
    }

    /// Makes a symbolic link in the work tree; `target` is taken as it is and need not exist.
    package func symlink(_ path: String, to target: String) throws {
        try self.makeParent(of: path)
        try FileManager.default.createSymbolicLink(atPath: self.absolute(path), withDestinationPath: target)
    }

    /// Removes a file, a link or a whole folder from the work tree.
    package func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: self.absolute(path))
    }

    /// Commits the whole work tree as it is, an unchanged one too, and returns the commit's id.
    @discardableResult
    package func commit(_ message: String) throws -> ObjectID {
        try self.git("add", "--all")
        try self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return try self.head()
    }

    /// Writes one file and commits it.
    @discardableResult
    package func commit(_ path: String, _ contents: String, message: String = "Change") throws -> ObjectID {
        try self.write(path, contents)
        return try self.commit(message)
    }

    /// Takes all objects away, as a file system does that is gone for a while.
    package func hideObjects() throws {
        let objects = self.absolute(".git/objects")
        try FileManager.default.moveItem(atPath: objects, toPath: "\(objects).away")
        try FileManager.default.createDirectory(atPath: objects, withIntermediateDirectories: false)
    }

    /// Brings back what ``hideObjects()`` took away.
    package func bringBackObjects() throws {
        let objects = self.absolute(".git/objects")
        try FileManager.default.removeItem(atPath: objects)
        try FileManager.default.moveItem(atPath: "\(objects).away", toPath: objects)
    }

    /// The id of the commit that HEAD stands for.
    package func head() throws -> ObjectID {
        try self.id(of: "HEAD")
    }

    /// The id of any object that git's revision syntax can name, such as `main:models/tiny.yaml`.
    package func id(of revision: String) throws -> ObjectID {
        try self.git("rev-parse", "--verify", revision)
    }

    /// Makes a branch at a revision and stays on the present one.
    package func branch(_ name: String, at revision: String = "HEAD") throws {
        try self.git("branch", name, revision)
    }

    /// Switches the work tree to a branch, tag or commit.
    package func checkout(_ revision: String) throws {
        try self.git("checkout", "--quiet", revision)
    }

    /// Makes a tag: an annotated one with a message, a lightweight one without.
    package func tag(_ name: String, at revision: String = "HEAD", message: String? = nil) throws {
        let annotation = message.map { ["--annotate", "--message", $0] } ?? []
        try self.git(["tag"] + annotation + [name, revision])
    }

    /// Runs any git command in the repository and returns its output without the final line break.
    @discardableResult
    package func git(_ arguments: String...) throws -> String {
        try self.git(arguments)
    }

    /// Runs any git command in the repository and returns its output without the final line break.
    @discardableResult
    package func git(_ arguments: [String]) throws -> String {
        let second = self.commitCount.withLock { count in
            if arguments.first == "commit" { count += 1 }
            return 1_700_000_000 + count
        }
        return try GitCommand(folder: self.path, arguments: arguments, time: "\(second) +0000").run()
    }

    private func makeParent(of path: String) throws {
        let parent = URL(fileURLWithPath: self.absolute(path)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    }

    private static func makeFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory
            .resolvingSymlinksInPath()
            .appendingPathComponent("martlet-repository-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }
}
