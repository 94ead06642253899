import GitSource
import Glibc
import Planning
import Schema
import TestSupport
import Testing

/// Where a repository can be opened, and what is said where it cannot.
struct OpeningTests {
    @Test("a work tree, its .git, a bare clone and a linked work tree all show the same commit")
    func places() throws {
        let origin = try TemporaryRepository()
        let commit = try origin.commit("models/tiny.yaml", "kind: Model\n")
        let bare = try TemporaryRepository(bareCloneOf: origin)
        let linked = try TemporaryRepository()
        try origin.git("worktree", "add", "--quiet", "--detach", "\(linked.path)/tree")

        for path in [origin.path, "\(origin.path)/.git", bare.path, "\(linked.path)/tree"] {
            let repository = try GitRepository(path: path)
            #expect(try repository.resolve("main").id == commit)
            #expect(try repository.resolve("HEAD").id == commit)
            #expect(repository.path == path)
        }
    }

    @Test("a folder without a repository is refused and nothing above it is searched")
    func notARepository() throws {
        let folder = try TemporaryRepository()
        try folder.write("models/tiny.yaml", "")
        try folder.remove(".git")
        expectError("RepositoryNotFound", mentioning: folder.path, "bare repository") {
            try GitRepository(path: folder.path)
        }
        expectError("RepositoryNotFound", mentioning: "/nowhere") { try GitRepository(path: "\(folder.path)/nowhere") }
    }

    @Test("a folder inside a work tree is refused with the place of the repository")
    func insideARepository() throws {
        let folder = try TemporaryRepository()
        try folder.write("models/tiny.yaml", "")
        expectError("RepositoryNotFound", mentioning: "\(folder.path)/.git", "path within it") {
            try GitRepository(path: folder.absolute("models"))
        }
    }

    @Test("a repository of another user is refused with what to do", .enabled(if: geteuid() == 0))
    func foreignOwner() throws {
        let repository = try TemporaryRepository()
        try repository.commit("a", "1")
        for path in [repository.path, repository.gitDirectory] {
            #expect(chown(path, 12_345, 12_345) == 0)
        }
        expectError("RepositoryOwnedByAnother", mentioning: "owned by another user", "safe.directory", "chown") {
            try GitRepository(path: repository.path)
        }
    }
}
