import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// One repository value, many readers, one writer.
@Suite(.timeLimit(.minutes(1)))
struct ConcurrencyTests {
    private static let commits = 12

    @Test("eight readers see only whole commits while others are made, packed and pruned")
    func readersAndAWriter() async throws {
        let origin = try TemporaryRepository()
        try Self.write(0, to: origin)
        let repository = try GitRepository(path: origin.path)
        let last = "\(Self.commits)"
        let seen = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                for number in 1...Self.commits {
                    try Self.write(number, to: origin)
                    if number.isMultiple(of: 4) { try origin.git("repack", "-a", "-d", "--quiet") }
                    await Task.yield()
                }
                return 0
            }
            for _ in 0..<8 {
                group.addTask {
                    var count = 0
                    while try Self.readConsistently(repository) != last {
                        count += 1
                        await Task.yield()
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(seen > 0)
    }

    /// Commits one number in several files at once.
    private static func write(_ number: Int, to origin: TemporaryRepository) throws {
        for name in ["a", "m/b", "m/n/c"] { try origin.write(name, "\(number)") }
        try origin.commit("Number \(number)")
    }

    /// Reads the newest commit's files, which must all hold the same number, and returns that.
    private static func readConsistently(_ repository: GitRepository) throws -> String {
        let head = try repository.resolve("main")
        let texts = try repository.files(below: "", in: head.id).map { entry in
            String(decoding: try repository.read(entry.object, limit: 100), as: UTF8.self)
        }
        let first = try #require(texts.first)
        #expect(texts == [first, first, first])
        #expect(head.subject == "Number \(first)")
        return first
    }
}
