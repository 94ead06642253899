internal import Schema
internal import TestSupport
internal import Testing

@testable internal import Engines

/// Which upstream is asked, when, and how often: decided without a clock.
struct UpstreamBalanceTests {
    typealias Member = UpstreamBalance.Member

    private static func balance(_ rule: ModelSpec.Balance, _ members: [Member]) -> UpstreamBalance {
        UpstreamBalance(rule, members: members)
    }

    /// Where a new request goes.
    private static func first(
        _ balance: inout UpstreamBalance,
        draw: Double = 0,
        at now: Duration = .zero
    ) -> Int? {
        var attempts = balance.noAttempts
        guard case .ask(let member, after: .zero) = balance.next(&attempts, draw: draw, at: now) else { return nil }
        return member
    }

    @Test func orderTakesTheFirstInGoodHealth() {
        var balance = Self.balance(.order, [Member(), Member()])
        #expect(Self.first(&balance) == 0)
        balance.end(.failed(pause: .seconds(5)), of: 0, at: .zero)
        #expect(Self.first(&balance, at: .seconds(4)) == 1)
        #expect(Self.first(&balance, at: .seconds(5)) == 0)
    }

    static let draws: [(Double, Int)] = [(0, 0), (0.24, 0), (0.25, 1), (0.49, 1), (0.5, 2), (0.999, 2)]

    @Test("A weight is a share of the draws", arguments: draws)
    func weighs(draw: Double, expected: Int) {
        var balance = Self.balance(.weight, [Member(weight: 1), Member(weight: 1), Member(weight: 2)])
        #expect(Self.first(&balance, draw: draw) == expected)
    }

    @Test func leastBusyCountsWhatIsUnderWayForItsWeight() {
        var balance = Self.balance(.leastBusy, [Member(weight: 1), Member(weight: 2)])
        #expect((0..<6).map { _ in Self.first(&balance) } == [0, 1, 1, 0, 1, 1])
        balance.end(.answered, of: 0, at: .zero)
        balance.end(.answered, of: 0, at: .zero)
        #expect(Self.first(&balance) == 0)
    }

    @Test func triesEveryUpstreamBeforeOneAgain() {
        var balance = Self.balance(.order, [Member(retries: 1), Member(retries: 0)])
        var attempts = balance.noAttempts
        var steps: [UpstreamBalance.Step] = []
        for _ in 0..<4 {
            let step = balance.next(&attempts, draw: 0, at: .zero)
            steps.append(step)
            if case .ask(let member, _) = step { balance.end(.failed(pause: nil), of: member, at: .zero) }
        }
        #expect(steps == [.ask(0, after: .zero), .ask(1, after: .zero), .ask(0, after: .milliseconds(125)), .giveUp])
    }

    static let waits: [(Double, [Int])] = [(0, [0, 125, 250, 500]), (0.5, [0, 187, 375, 750])]

    @Test("Waits double, and are spread by the draw", arguments: waits)
    func spreadsRepetitions(draw: Double, expected: [Int]) {
        var balance = Self.balance(.order, [Member(retries: 3)])
        var attempts = balance.noAttempts
        let waits = expected.map { _ in
            guard case .ask(_, let wait) = balance.next(&attempts, draw: draw, at: .zero) else { return -1 }
            balance.end(.abandoned, of: 0, at: .zero)
            return Int(wait / .milliseconds(1))
        }
        #expect(waits == expected)
        #expect(balance.next(&attempts, draw: draw, at: .zero) == .giveUp)
    }

    static let rests: [(failures: Int, seconds: Int)] = [
        (1, 0), (2, 0), (3, 1), (4, 2), (5, 4), (8, 32), (9, 60), (90, 60),
    ]

    @Test("A cool-down begins with the third failure, doubles, and is a minute at most", arguments: rests)
    func coolsDown(failures: Int, seconds: Int) {
        var balance = Self.balance(.order, [Member()])
        for _ in 0..<failures {
            _ = Self.first(&balance)
            balance.end(.failed(pause: nil), of: 0, at: .zero)
        }
        #expect(balance.members[0].isResting(at: .seconds(seconds) - .nanoseconds(1)) == (seconds > 0))
        #expect(!balance.members[0].isResting(at: .seconds(seconds)))
    }

    @Test func oneRequestAtATimeGoesOnTrial() {
        var balance = Self.balance(.order, [Member(), Member()])
        _ = Self.first(&balance)
        balance.end(.failed(pause: .seconds(1)), of: 0, at: .zero)
        #expect(Self.first(&balance, at: .seconds(1)) == 0)
        // The others keep away until it is known how that went.
        #expect(Self.first(&balance, at: .seconds(1)) == 1)
        balance.end(.answered, of: 0, at: .seconds(2))
        #expect(Self.first(&balance, at: .seconds(2)) == 0)
        #expect(Self.first(&balance, at: .seconds(2)) == 0)
    }

    @Test func asksTheOneThatIsReadyFirstWhenAllCoolDown() {
        var balance = Self.balance(.order, [Member(), Member()])
        for (member, pause) in [(0, 9), (1, 3)] {
            #expect(Self.first(&balance) == member)
            balance.end(.failed(pause: .seconds(pause)), of: member, at: .zero)
        }
        #expect(Self.first(&balance, at: .seconds(1)) == 1)
    }

    @Test func aCallerThatLeavesSaysNothing() {
        var balance = Self.balance(.order, [Member()])
        for _ in 0..<9 {
            _ = Self.first(&balance)
            balance.end(.abandoned, of: 0, at: .zero)
        }
        #expect(balance.members[0].failures == 0)
        #expect(balance.members[0].busy == 0)
    }

    // MARK: Probes

    /// A pair whose first member is out and probed, as of time zero.
    private static func watched() -> UpstreamBalance {
        var balance = Self.balance(.order, [Member(), Member()])
        balance.beginProbing()
        for member in 0...1 {
            balance.end(.well, of: member, at: .zero)
            _ = balance.nextProbe(of: member, draw: 0, at: .zero)
        }
        _ = Self.first(&balance)
        balance.end(.failed(pause: .seconds(4)), of: 0, at: .zero)
        return balance
    }

    @Test func everybodyIsProbedAtFirstAndTakesRequestsMeanwhile() {
        var balance = Self.balance(.order, [Member(), Member()])
        balance.beginProbing()
        #expect(balance.members.allSatisfy { $0.isProbed })
        #expect(balance.nextProbe(of: 0, draw: 0, at: .zero) == .probe)
        #expect(Self.first(&balance) == 0)
        // Its answer says as much as the probe would.
        balance.end(.answered, of: 0, at: .zero)
        #expect(balance.nextProbe(of: 0, draw: 0, at: .zero) == .leave)
        balance.end(.away, of: 0, at: .zero)
        #expect(!balance.members[0].isOut)
        balance.end(.away, of: 1, at: .zero)
        #expect(balance.members[1].isOut)
    }

    @Test func requestsKeepAwayUntilAProbeSucceeds() {
        var balance = Self.watched()
        #expect(balance.members[0].isProbed)
        #expect(balance.nextProbe(of: 0, draw: 0.5, at: .zero) == .wait(.milliseconds(4500)))
        #expect(balance.nextProbe(of: 0, draw: 0, at: .seconds(4)) == .probe)
        #expect(Self.first(&balance, at: .seconds(4)) == 1)
        balance.end(.well, of: 0, at: .seconds(5))
        #expect(!balance.members[0].isOut)
        #expect(balance.nextProbe(of: 0, draw: 0, at: .seconds(5)) == .leave)
        // All at once, not one on trial.
        #expect((0..<3).map { _ in Self.first(&balance, at: .seconds(5)) } == [0, 0, 0])
    }

    @Test func probesThatFailComeLessOftenButDoNotStop() {
        var balance = Self.watched()
        var (now, waits) = (Duration.seconds(4), [Int]())
        for _ in 0..<9 {
            #expect(balance.nextProbe(of: 0, draw: 0, at: now) == .probe)
            balance.end(.away, of: 0, at: now)
            guard case .wait(let wait) = balance.nextProbe(of: 0, draw: 0, at: now) else { return #expect(Bool(false)) }
            waits.append(Int(wait / .seconds(1)))
            now += wait
        }
        #expect(waits == [1, 2, 4, 8, 15, 15, 15, 15, 15])
        #expect(Self.first(&balance, at: now) == 1)
    }

    @Test("Where probes tell nothing, one request goes on trial", arguments: [UpstreamBalance.Health.untold, .ill])
    func triesOut(health: UpstreamBalance.Health) {
        var balance = Self.watched()
        var now = Duration.seconds(4)
        while case let step = balance.nextProbe(of: 0, draw: 0, at: now), step != .leave {
            // An error may pass; for a minute, it counts.
            if case .wait(let wait) = step { now += wait } else { balance.end(health, of: 0, at: now) }
        }
        #expect(now == .seconds(health == .ill ? 64 : 4))
        #expect(balance.members[0].isOut)
        #expect((0..<2).map { _ in Self.first(&balance, at: now) } == [0, 1])
        balance.end(.failed(pause: .seconds(1)), of: 0, at: now)
        #expect(balance.members[0].isProbed)
    }

    @Test func probesThatMisledAreNotBelievedAgain() {
        var balance = Self.watched()
        balance.end(.well, of: 0, at: .seconds(4))
        _ = balance.nextProbe(of: 0, draw: 0, at: .seconds(4))
        _ = Self.first(&balance, at: .seconds(4))
        balance.end(.failed(pause: .seconds(1)), of: 0, at: .seconds(4))
        balance.end(.well, of: 0, at: .seconds(5))
        #expect(balance.members[0].isOut)
        #expect((0..<2).map { _ in Self.first(&balance, at: .seconds(5)) } == [0, 1])
        // An answer makes up for it.
        balance.end(.answered, of: 0, at: .seconds(5))
        _ = Self.first(&balance, at: .seconds(6))
        balance.end(.failed(pause: .seconds(1)), of: 0, at: .seconds(6))
        balance.end(.well, of: 0, at: .seconds(7))
        #expect(!balance.members[0].isOut)
    }

    /// Whatever happens: nobody is asked more often than allowed, somebody is asked as long as that is allowed, what is
    /// under way adds up, and no wait or cool-down exceeds its bound.
    @Test(arguments: ModelSpec.Balance.allCases, 1...20)
    func holdsWhateverHappens(rule: ModelSpec.Balance, seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let members = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            Member(weight: Int.random(in: 1...5, using: &random), retries: Int.random(in: 0...2, using: &random))
        }
        var balance = Self.balance(rule, members)
        var now = Duration.zero
        var open: [(member: Int, attempts: UpstreamBalance.Attempts)] = []
        for _ in 0..<400 {
            now += .milliseconds(Int.random(in: 0...2000, using: &random))
            var attempts = balance.noAttempts
            if !open.isEmpty, Bool.random(using: &random) {
                let ended = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                let pause =
                    Bool.random(using: &random) ? Duration.seconds(Int.random(in: 0...200, using: &random)) : nil
                let outcomes: [UpstreamBalance.Outcome] = [.answered, .failed(pause: pause), .abandoned]
                balance.end(outcomes.randomElement(using: &random) ?? .answered, of: ended.member, at: now)
                attempts = ended.attempts
            }
            let mayTry = zip(attempts.counts, members).contains { $0 <= $1.retries }
            switch balance.next(&attempts, draw: Double.random(in: 0..<1, using: &random), at: now) {
            case .giveUp:
                #expect(!mayTry)
            case .ask(let member, let wait):
                #expect(mayTry)
                #expect(attempts.counts[member] <= members[member].retries + 1)
                #expect(wait <= .seconds(16))
                open.append((member, attempts))
            }
            #expect(balance.members.reduce(0) { $0 + $1.busy } == open.count)
            #expect(balance.members.allSatisfy { ($0.restsUntil ?? now) <= now + UpstreamBalance.longestRest })
        }
    }

    @Test func silenceAloneTakesNobodyOut() {
        let member = UpstreamBalance.Member(weight: 1, retries: 0)
        var balance = UpstreamBalance(.order, members: [member, member])
        balance.beginProbing()
        balance.end(.silent, of: 0, at: .zero)
        #expect(!balance.members[0].isOut)
        // A request decides from here on.
        #expect(balance.nextProbe(of: 0, draw: 0, at: .zero) == .leave)
        balance.end(.away, of: 1, at: .zero)
        balance.end(.silent, of: 1, at: .zero)
        #expect(balance.members[1].isOut)
    }
}
