internal import Foundation
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// How the process uses the allocator.
    struct MemoryTests {
        /// What one thread frees, another one uses: a heap for each thread would keep all that its thread ever needed.
        @Test func threadsShareFewHeaps() async throws {
            let repository = try TemporaryRepository()
            try repository.write(
                "model.yaml",
                """
                apiVersion: martlet.dev/v1
                kind: PromptTemplate
                metadata: {name: hello}
                spec: {messages: [{role: user, content: hello}]}
                """
            )
            let commit = try repository.commit("Say hello")
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: commit)
            let process = try #require(martlet.program?.id)
            // Threads allocate as they serve.
            await withTaskGroup { group in
                for _ in 0..<50 { group.addTask { _ = try? await martlet.data.get("/v1/models") } }
            }
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").count
            let heaps = try Self.heaps(of: process)
            #expect(threads > 4)
            #expect(heaps <= 2, "\(heaps) heaps of \(threads) threads")
        }

        /// How many heaps of glibc there are beside the first one: 64 MiB of addresses each, of which a part is in use.
        private static func heaps(of process: Int32) throws -> Int {
            let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
            let regions = maps.split(separator: "\n").compactMap { line -> (range: Range<UInt>, rights: Substring)? in
                let words = line.split(separator: " ")
                let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                return words.count == 5 && ends.count == 2 && ends[0] < ends[1] ? (ends[0]..<ends[1], words[1]) : nil
            }
            let size: UInt = 64 << 20
            return zip(regions, regions.dropFirst()).count { used, spare in
                used.range.lowerBound % size == 0 && used.rights == "rw-p" && spare.rights == "---p"
                    && spare.range.lowerBound == used.range.upperBound
                    && spare.range.upperBound == used.range.lowerBound + size
            }
        }
    }
}
