internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// `kill -9` at any instant, then start again.
    @Suite(.enabled(if: Executable.hasLlama, "\(Executable.hint)"))
    struct KillChaosTests {
        /// What must be so after every restart.
        private struct Promise {
            /// What happened up to the last look before the kill.
            var events: [Event] = []
        }

        /// Commits come and the process dies, at moments between the commit and long after it is served.
        @Test func everythingIsThereAgain() async throws {
            var random = SeededRandom(seed: 9)
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            #expect(try await martlet.verb("suspend", "endpoint/embeddings", "--reason", "not now").code == 0)

            for round in 0..<Campaign.rounds(10, atMost: 100) {
                let days = 10 + round % 80
                var promise = Promise()
                promise.events = try await martlet.events()
                try desk.commit(returnWindow: days)
                if random.oneIn(3) {
                    _ = try? await martlet.verb("rollback", "endpoint/desk", "--reason", "round \(round)")
                }
                try await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 0...120, using: &random)))
                // What it said just before it died must still be so.
                if let events = try? await martlet.events() { promise.events = events }
                await martlet.kill()
                #expect(martlet.program?.end == .signalled(SIGKILL))

                if random.oneIn(2) { try await Self.killWhileItStarts(martlet, &random) }
                try await martlet.start()
                try await Self.check(promise, of: martlet, desk, days: days)
            }
        }

        /// A thousand kills of a process that is busy with commits, rollbacks, suspensions and questions.
        @Test func nothingIsLostInBusyMoments() async throws {
            var campaign = try await KillCampaign(seed: 1)
            for round in 1...Campaign.rounds(200, atMost: 1000) {
                try await campaign.kill(round: round)
            }
        }

        /// Kills the process before, while and after it reads what was written down.
        private static func killWhileItStarts(_ martlet: RunningMartlet, _ random: inout SeededRandom) async throws {
            try martlet.launch()
            try await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
            await martlet.kill()
        }

        private static func check(_ promise: Promise, of martlet: RunningMartlet, _ desk: Desk, days: Int) async throws
        {
            try await martlet.waitForConvergence(of: desk.repository.head())
            let page = try await martlet.verb("status").output
            let answer = try await martlet.data.chat("desk", Desk.question)
            let content = try #require(answer.content, "\(answer.text)\n\(page)")
            let variant = try #require(try await martlet.variant("desk"))
            if let hold = variant.hold {
                #expect(hold.reason == "RolledBack", "\(hold.reason): \(hold.message)")
                #expect(variant.promoted == hold.target)
            } else {
                #expect(content.contains("\(days)"), "the newest commit says \(days): \(content)")
                #expect(variant.promoted == variant.desired)
            }
            #expect(variant.serving == variant.promoted.map { [TrafficShare(revision: $0, weight: 100)] })
            #expect(try await martlet.resource(.endpoint, "embeddings").suspended)
            #expect(try await martlet.revision("embeddings") != nil)

            let events = try await martlet.events()
            #expect(events.map(\.sequence) == Array(1...Int64(events.count)), "an event is lost or doubled")
            #expect(Array(events.prefix(promise.events.count)) == promise.events)
            let readings = events.filter { $0.reason == "CommitRead" }.compactMap(\.commit)
            #expect(readings.last == (try desk.repository.head()))
            let promotions = try await martlet.history().promotions.filter { $0.variant.endpoint == "desk" }
            #expect(promotions.first?.revision == variant.promoted)
            #expect(
                events.filter { $0.reason == "Promoted" && $0.variant?.endpoint == "desk" }.count == promotions.count
            )
            let audit = try await martlet.audit()
            #expect(audit.brokenAt == nil && audit.entries > 0, "\(audit.message)")
        }

        /// A kill while weights load is nothing that the weights did.
        @Test func killWhileLoadingHoldsNothing() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            for _ in 0..<5 {
                await martlet.kill()
                try await martlet.start()
                try await martlet.wait(for: "a load") {
                    try await martlet.plan().steps.contains { $0.action.word == "load" }
                }
            }
            try await martlet.waitForConvergence(of: desk.repository.head())
            #expect(try await martlet.ask("desk", Desk.question).contains("30"))
            #expect(try await martlet.holds().isEmpty)
            #expect(try await !martlet.events().contains { $0.reason == "CrashedWhileLoading" })
        }

        /// A hold by the machine and one by a person outlive the process.
        @Test func holdsOutliveTheProcess() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            let first = try await martlet.waitForRevision("desk")
            let good = try desk.bytes(Desk.model)
            try desk.repository.write(Desk.model, bytes: Array(good.prefix(100_000)))
            let commit = try desk.repository.commit("Upload a truncated model")
            let held = try await martlet.waitForHold("desk", of: commit)
            await martlet.kill()
            try await martlet.start()
            #expect(try await martlet.waitForRevision("desk") == first)
            #expect(try await martlet.holds().contains(held))
            #expect(try await martlet.ask("desk", Desk.question).contains("30"))
        }
    }
}
