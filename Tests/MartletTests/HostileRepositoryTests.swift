internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Commits that nobody should make: a clear error each, little memory, and the rest goes on.
    struct HostileRepositoryTests {
        /// A hostile file, and what must be said about it.
        struct Case: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var diagnostic: String
            var put: @Sendable (TemporaryRepository) throws -> Void

            init(_ name: String, _ diagnostic: String, _ put: @escaping @Sendable (TemporaryRepository) throws -> Void)
            {
                self.testDescription = name
                self.diagnostic = diagnostic
                self.put = put
            }
        }

        static let cases = [
            Case("a file of 100 MiB", "huge.yaml:") { repository in
                let line = Array("# the same comment again and again, with nothing in it\n".utf8)
                var bytes: [UInt8] = []
                bytes.reserveCapacity((100 << 20) + line.count)
                while bytes.count < 100 << 20 { bytes += line }
                try repository.write("huge.yaml", bytes: bytes)
            },
            Case("binary junk", "junk.yaml:1:") { repository in
                var random = SeededRandom(seed: 1)
                try repository.write(
                    "junk.yaml",
                    bytes: (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
                )
            },
            Case("a link out of the tree", "link.yaml:") { repository in
                try repository.symlink("models/passwords", to: "/etc/passwd")
                try repository.write("link.yaml", HostileRepositoryTests.manifests("link", source: "models/passwords"))
            },
            Case("a path out of the tree", "path.yaml:") { repository in
                try repository.write("path.yaml", HostileRepositoryTests.manifests("path", source: "../../etc/passwd"))
            },
            Case("an alias bomb", "bomb.yaml:") { repository in
                var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
                for level in 1...12 {
                    let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
                    text += "a\(level): &a\(level) [\(aliases)]\n"
                }
                try repository.write("bomb.yaml", text)
            },
            Case("a deep nest", "nest.yaml:1:") { repository in
                try repository.write("nest.yaml", String(repeating: "[", count: 1_000_000))
            },
        ]

        @Test(arguments: Self.cases)
        func isAClearError(_ hostile: Case) async throws {
            let repository = try TemporaryRepository()
            try repository.write("answers.jsonl", #"{"input": {"prompt": "hello"}, "output": "good day"}"# + "\n")
            try repository.commit("good.yaml", Self.manifests("good", source: "answers.jsonl"))
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())

            try hostile.put(repository)
            let commit = try repository.commit("Add \(hostile.testDescription)")
            try await martlet.waitForConvergence(of: commit)
            let event = try await martlet.waitForEvent("ManifestInvalid")
            #expect(event.message.hasPrefix(hostile.diagnostic), "\(event.message.prefix(300))")
            #expect(event.message.count < 1000)
            let validation = try await martlet.verb("validate", "--ref", "HEAD")
            #expect(validation.code == 2)
            #expect(validation.complaint.contains(hostile.diagnostic), "\(validation.complaint.prefix(300))")

            let answer = try await martlet.data.post("/v1/completions", ["model": "good", "prompt": "hello"])
            #expect(answer.json["choices"]?.array?.first?["text"] == "good day", "\(answer.text)")
            #expect(martlet.peakMemory > 0)
            #expect(martlet.peakMemory < 300 << 20, "\(martlet.peakMemory >> 20) MiB")
        }

        private static func manifests(_ name: String, source: String) -> String {
            """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: \(name)}
            spec: {engine: replay, source: {uri: \(source)}}
            ---
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: \(name)}
            spec: {serve: {model: \(name)}, access: {anonymous: true}}
            """
        }
    }
}
