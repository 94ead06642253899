internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Serving revisions are replaced again and again under streaming clients.
    @Suite(.enabled(if: Executable.hasLlama, "\(Executable.hint)"))
    struct ReplacementSoakTests {
        private static let clients = 50
        private static let windows = [30, 45]

        /// No answer is lost or damaged: each is whole, and says what the revision that it names says.
        @Test func replacingLosesNoAnswer() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            let (expected, commits) = try await Self.learn(from: martlet, desk)
            let rounds = Campaign.rounds(5)

            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                let latch = Latch()
                for _ in 0..<Self.clients {
                    group.addTask { try await Self.ask(martlet, expected, until: latch) }
                }
                defer { latch.open() }
                for _ in 0..<rounds * Self.windows.count {
                    try await Self.replace(desk, martlet, expected)
                }
                latch.open()
                return try await group.reduce(0, +)
            }
            #expect(answers >= Self.clients)
            let status = try await martlet.status()
            #expect(status.sync == .synced && status.health == .healthy)
            let promoted = try await martlet.history().promotions.filter { $0.variant.endpoint == "desk" }.count
            #expect(promoted == commits + rounds * Self.windows.count)
            let metrics = try await martlet.metrics.get("/metrics").text
            let failed = metrics.split(separator: "\n").filter {
                $0.hasPrefix("martlet_requests_total") && !$0.contains("result=\"ok\"") && !$0.hasSuffix(" 0")
            }
            #expect(failed.isEmpty, "\(failed)")
        }

        /// Serves each wording once, and returns what each revision answers, and how many commits that took.
        private static func learn(
            from martlet: RunningMartlet,
            _ desk: Desk
        ) async throws -> (expected: [String: String], commits: Int) {
            var expected: [String: String] = [:]
            var revision = try await martlet.waitForRevision("desk")
            for (index, days) in Self.windows.enumerated() {
                if index > 0 {
                    try desk.commit(returnWindow: days)
                    revision = try await martlet.waitForRevision("desk", after: revision)
                }
                let answer = try await martlet.data.chat("desk", Desk.question)
                #expect(answer.revision == revision)
                expected[revision] = answer.content
            }
            #expect(Set(expected.values).count == Self.windows.count, "\(expected)")
            return (expected, Self.windows.count)
        }

        /// Commits the other wording and waits until it serves.
        private static func replace(_ desk: Desk, _ martlet: RunningMartlet, _ expected: [String: String]) async throws
        {
            let before = try await martlet.revision("desk")
            let old = before.flatMap { expected[$0] } ?? ""
            try desk.commit(returnWindow: Self.windows.first { !old.contains("\($0)") } ?? 0)
            try await martlet.waitForRevision("desk", after: before)
        }

        /// Asks by streams, one after the other; returns how many answers came.
        private static func ask(
            _ martlet: RunningMartlet,
            _ expected: [String: String],
            until latch: Latch
        ) async throws -> Int {
            var answers = 0
            repeat {
                let answer = try await martlet.data.stream("desk", Desk.question)
                #expect(answer.isWhole, "status \(answer.status), error \(answer.error ?? .null), '\(answer.text)'")
                let revision = answer.revision ?? "none"
                #expect(answer.text == expected[revision], "revision \(revision)")
                answers += 1
            } while !latch.isOpen
            return answers
        }
    }
}
