import Foundation
import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// What the stream of ref changes notices, and that it ends.
@Suite(.timeLimit(.minutes(1)))
struct WatchingTests {
    /// One way to move a ref that must be noticed.
    enum Move: String, Sendable, CaseIterable {
        case commit, branch, nestedBranch, deletion, packing, tag, switching, branchAfterPacking, rewrittenByHand

        func prepare(_ origin: TemporaryRepository) throws {
            try origin.commit("a", "1")
            try origin.branch("old")
            if self == .branchAfterPacking { try origin.git("pack-refs", "--all") }
        }

        func perform(_ origin: TemporaryRepository) throws {
            switch self {
            case .commit: try origin.commit("a", "2")
            case .branch: try origin.branch("new")
            case .nestedBranch: try origin.branch("a/b/c/new")
            case .deletion: try origin.git("branch", "--delete", "--force", "old")
            case .packing: try origin.git("pack-refs", "--all")
            case .tag: try origin.tag("v1", message: "A release")
            case .switching: try origin.checkout("old")
            case .branchAfterPacking: try origin.commit("a", "2")
            case .rewrittenByHand: try origin.write(".git/refs/heads/old", "\(try origin.commit("a", "3"))\n")
            }
        }
    }

    @Test("each way to move a ref is noticed", arguments: Move.allCases)
    func moves(move: Move) async throws {
        let origin = try TemporaryRepository()
        try move.prepare(origin)
        let changes = try GitRepository(path: origin.path).refChanges()
        try move.perform(origin)
        #expect(await changes.first { true } != nil)
    }

    @Test("a push into a bare repository is noticed")
    func bare() async throws {
        let bare = try TemporaryRepository(bare: true)
        let changes = try GitRepository(path: bare.path).refChanges()
        let origin = try TemporaryRepository()
        let commit = try origin.commit("a", "1")
        try origin.git("push", "--quiet", bare.path, "main")
        #expect(await changes.first { true } != nil)
        #expect(try GitRepository(path: bare.path).resolve("main").id == commit)
    }

    @Test("a linked work tree notices its branch, which lives in the main one, and its own HEAD")
    func linkedWorkTree() async throws {
        let origin = try TemporaryRepository()
        try origin.commit("a", "1")
        try origin.git("worktree", "add", "--quiet", "-b", "side", "linked")
        let changes = try GitRepository(path: origin.absolute("linked")).refChanges()
        var iterator = changes.makeAsyncIterator()
        try origin.git("branch", "--force", "other", "HEAD")
        #expect(await iterator.next() != nil)
        try origin.git("-C", origin.absolute("linked"), "checkout", "--quiet", "--detach")
        #expect(await iterator.next() != nil)
    }

    @Test("every commit of a series is seen in the end, though notices may fall together")
    func series() async throws {
        let origin = try TemporaryRepository()
        try origin.commit("a", "0")
        let repository = try GitRepository(path: origin.path)
        let changes = repository.refChanges()
        for number in 1...5 { try origin.commit("a", "\(number)") }
        let last = try origin.head()
        for await _ in changes where try repository.resolve("main").id == last { break }
        #expect(try repository.resolve("main").id == last)
    }

    @Test("a repository that is removed and made again is noticed again")
    func madeAgain() async throws {
        let origin = try TemporaryRepository()
        try origin.commit("a", "1")
        let repository = try GitRepository(path: origin.path)
        let changes = repository.refChanges()
        var iterator = changes.makeAsyncIterator()
        try origin.remove(".git")
        #expect(await iterator.next() != nil)
        try origin.git("init", "--quiet", "--initial-branch", "main")
        let again = try origin.commit("a", "2")
        while try repository.resolve("main").id != again { _ = await iterator.next() }
        // The folders are new, and so must be the watches on them.
        let later = try origin.commit("a", "3")
        while try repository.resolve("main").id != later { _ = await iterator.next() }
        #expect(try repository.resolve("main").id == later)
    }

    @Test("a stream ends when its consumer is cancelled")
    func cancellation() async throws {
        let origin = try TemporaryRepository()
        try origin.commit("a", "1")
        let changes = try GitRepository(path: origin.path).refChanges()
        let noticed = await withTaskGroup(of: Int.self) { group in
            group.addTask { await changes.reduce(into: 0) { count, _ in count += 1 } }
            group.cancelAll()
            return await group.next()
        }
        #expect(noticed == 0)
    }

    @Test("streams that nobody holds any longer give back their descriptors")
    func descriptors() async throws {
        let origin = try TemporaryRepository()
        try origin.commit("a", "1")
        let repository = try GitRepository(path: origin.path)
        // Other tests watch as well, but never as many.
        for _ in 0..<60 { _ = repository.refChanges() }
        while Self.watches(in: "/proc/self/fd") >= 40 { await Task.yield() }
    }

    private static func watches(in folder: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let targets = names.map { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        return targets.count { $0?.contains("inotify") == true }
    }
}
