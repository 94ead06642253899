import Planning
import Schema
import TestSupport
import Testing

/// A trace, and the replica counts that it leads to.
struct AutoscalerTrace: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let policy: EndpointSpec.Replicas
    /// Requests at once, and for how many seconds.
    let trace: [(requests: Double, seconds: Int)]
    let runs: String
    /// The numbers behind the decisions, one a line.
    let reasons: String

    init(
        _ name: String,
        _ policy: EndpointSpec.Replicas = AutoscalerSimulator.policy(),
        trace: [(requests: Double, seconds: Int)],
        runs: String,
        reasons: String = ""
    ) {
        self.testDescription = name
        self.policy = policy
        self.trace = trace
        self.runs = runs
        self.reasons = reasons
    }
}

@Suite("Autoscaler")
struct AutoscalerTests {
    private typealias Simulator = AutoscalerSimulator

    static let steps = [
        AutoscalerTrace(
            "A step up is followed after the delay, and down again after the longer one",
            trace: [(2, 10), (12, 20), (2, 80)],
            // 12 from second 11 to 30: up 5 s after the look that saw them first, down 60 s after the first without them.
            runs: "1 x15, 3 x75, 1 x20",
            reasons: """
                12 requests at once for 5s, 4 per replica: 3 replicas
                at most 2 requests at once in the last 1m, 4 per replica: 1 replica
                """
        ),
        AutoscalerTrace(
            "A burst shorter than the delay changes nothing",
            trace: [(1, 3), (100, 5), (1, 90)],
            runs: "1 x98"
        ),
        AutoscalerTrace(
            "A burst that just lasts long enough",
            trace: [(1, 3), (100, 6), (1, 70)],
            runs: "1 x8, 4 x61, 1 x10",
            reasons: """
                100 requests at once for 5s, 4 per replica: 4 replicas, as many as spec.replicas.max allows
                at most 1 request at once in the last 1m, 4 per replica: 1 replica
                """
        ),
        AutoscalerTrace(
            "It goes up to what was needed all the time, not to the peak",
            AutoscalerSimulator.policy(max: 10),
            trace: [(8.5, 2), (30, 2), (11.6, 4), (9, 5)],
            runs: "1 x5, 3 x8",
            reasons: "8.5 requests at once for 5s, 4 per replica: 3 replicas"
        ),
        AutoscalerTrace(
            "Without delays every look counts",
            AutoscalerSimulator.policy(up: 0, down: 0),
            trace: [(1, 1), (5, 1), (16, 1), (0, 1), (9, 1)],
            runs: "1 x1, 2 x1, 4 x1, 1 x1, 3 x1",
            reasons: """
                5 requests at once, 4 per replica: 2 replicas
                16 requests at once, 4 per replica: 4 replicas
                no request now: 1 replica, as spec.replicas.min asks for
                9 requests at once, 4 per replica: 3 replicas
                """
        ),
    ]

    static let waves = [
        AutoscalerTrace(
            "A sawtooth faster than the delays holds the number, at what each tooth needs for long enough",
            AutoscalerSimulator.policy(max: 10, up: 5, down: 20),
            trace: Array(repeating: [(4.0, 4), (12.0, 8), (24.0, 2)], count: 6).flatMap(\.self),
            runs: "1 x9, 3 x75",
            reasons: "12 requests at once for 5s, 4 per replica: 3 replicas"
        ),
        AutoscalerTrace(
            "A slow decline is followed step by step, each as late as the delay",
            AutoscalerSimulator.policy(max: 5, up: 2, down: 10),
            trace: [(20, 5), (15, 5), (11, 5), (7, 5), (3, 30)],
            // Needs 5, 4, 3, 2 and 1 replicas from the seconds 1, 6, 11, 16 and 21 on.
            runs: "1 x2, 5 x13, 4 x5, 3 x5, 2 x5, 1 x20"
        ),
        AutoscalerTrace(
            "A dip shorter than the delay takes nothing away",
            trace: [(16, 10), (0, 59), (16, 10)],
            runs: "1 x5, 4 x74"
        ),
    ]

    static let zero = [
        AutoscalerTrace(
            "Begins with one, goes to none when nobody asks, and back at once when somebody does",
            AutoscalerSimulator.policy(min: 0),
            trace: [(0, 70), (1, 1), (0, 70)],
            runs: "1 x60, 0 x10, 1 x61, 0 x10",
            reasons: """
                no request in the last 1m: 0 replicas
                1 request came while no replica ran, 4 per replica: 1 replica
                no request in the last 1m: 0 replicas
                """
        ),
        AutoscalerTrace(
            "Seldom and short requests keep a replica",
            AutoscalerSimulator.policy(min: 0),
            trace: Array(repeating: [(0.01, 1), (0.0, 50)], count: 4).flatMap(\.self),
            runs: "1 x204"
        ),
        AutoscalerTrace(
            "A crowd at the door gets what it needs at once",
            AutoscalerSimulator.policy(min: 0, max: 3),
            trace: [(0, 62), (9, 10)],
            runs: "1 x60, 0 x2, 3 x10",
            reasons: """
                no request in the last 1m: 0 replicas
                9 requests came while no replica ran, 4 per replica: 3 replicas
                """
        ),
    ]

    @Test("Each trace has its counts", arguments: steps + waves + zero)
    func follows(_ row: AutoscalerTrace) {
        var simulator = AutoscalerSimulator(row.policy)
        simulator.play(row.trace)
        #expect(simulator.runs == row.runs)
        guard !row.reasons.isEmpty else { return }
        #expect(simulator.decisions.map(\.decision.reason).joined(separator: "\n") == row.reasons)
    }

    @Test("What waits for a first replica counts as it is, not on average")
    func wakesForWhoWaits() {
        var autoscaler = Autoscaler(AutoscalerSimulator.policy(min: 0), replicas: 0)
        let demand = RequestDemand(average: 0.001, now: 6)
        let decision = autoscaler.receive(demand, under: AutoscalerSimulator.policy(min: 0), at: .seconds(1))
        #expect(decision?.replicas == 2)
        #expect(decision?.reason == "6 requests came while no replica ran, 4 per replica: 2 replicas")
    }

    @Test("Other bounds and another target count at once")
    func followsTheManifest() {
        var simulator = AutoscalerSimulator(AutoscalerSimulator.policy(max: 10), replicas: 5)
        simulator.play(18, seconds: 100)
        simulator.policy = AutoscalerSimulator.policy(max: 3)
        simulator.play(18)
        #expect(simulator.runs == "5 x100, 3 x1")
        #expect(simulator.decisions.last?.decision.reason == "spec.replicas.max is 3: 3 replicas")
        simulator.policy = AutoscalerSimulator.policy(max: 10, target: 2)
        simulator.play(18, seconds: 10)
        #expect(simulator.runs == "5 x100, 3 x1, 9 x10")
    }

    @Test("What is no number, or too large for one, is no trouble", arguments: [Double.nan, -1, .infinity, 1e300])
    func takesAnyNumber(requests: Double) {
        let policy = AutoscalerSimulator.policy(min: 0, up: 0, down: 0)
        var autoscaler = Autoscaler(policy)
        _ = autoscaler.receive(RequestDemand(average: requests, now: 0), under: policy, at: .seconds(1))
        #expect(autoscaler.decision.replicas == (requests > 1 ? 4 : 0))
    }

    /// A plain account of the same rule, which keeps every look.
    private struct Ledger {
        var looks: [(from: Int, needed: Int)]
        var count: Int

        mutating func look(_ requests: Double, _ policy: EndpointSpec.Replicas, at second: Int) {
            let needed = Int((requests / Double(policy.targetConcurrency)).rounded(.up))
            self.looks.append((second, needed))
            func extreme(_ stretch: Int64, _ choose: ([Int]) -> Int?) -> Int {
                let start = second - Int(stretch / 1000)
                // What was seen last before the stretch began was still so then.
                let first = self.looks.lastIndex { $0.from <= start } ?? 0
                return choose(self.looks[first...].map(\.needed)) ?? 0
            }
            if self.count == 0, needed > 0 {
                self.count = policy.clamp(needed)
                return
            }
            let least = extreme(policy.scaleUpDelay.milliseconds) { $0.min() }
            let most = extreme(policy.scaleDownDelay.milliseconds) { $0.max() }
            self.count = policy.clamp(max(least, min(most, self.count)))
        }
    }

    @Test("Over random traces it does what a plain account of the rule says", arguments: 0..<200 as Range<UInt64>)
    func equalsTheRule(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let policy = AutoscalerSimulator.policy(
            min: Int.random(in: 0...2, using: &random),
            max: Int.random(in: 2...8, using: &random),
            target: Int.random(in: 1...5, using: &random),
            up: Int64.random(in: 0...6, using: &random),
            down: Int64.random(in: 0...30, using: &random)
        )
        var simulator = AutoscalerSimulator(policy)
        var ledger = Ledger(looks: [(0, policy.initial)], count: policy.initial)
        var expected: [Int] = []
        for second in 1...200 {
            let requests = random.oneIn(3) ? 0 : Double(Int.random(in: 0...300, using: &random)) / 10
            simulator.play(requests)
            ledger.look(requests, policy, at: second)
            expected.append(ledger.count)
        }
        #expect(simulator.counts == expected)
    }

    @Test("It never leaves the bounds, and does not flap", arguments: 1000..<1100 as Range<UInt64>)
    func keepsItsPromises(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let policy = AutoscalerSimulator.policy(
            min: Int.random(in: 0...2, using: &random),
            max: Int.random(in: 2...8, using: &random),
            up: Int64.random(in: 1...6, using: &random),
            down: Int64.random(in: 5...30, using: &random)
        )
        var simulator = AutoscalerSimulator(policy)
        for _ in 0..<300 { simulator.play(Double(Int.random(in: 0...400, using: &random)) / 10) }
        #expect(simulator.counts.allSatisfy { (policy.min...policy.max).contains($0) })
        var risen: Int?
        for second in simulator.counts.indices.dropFirst() {
            if simulator.counts[second] > simulator.counts[second - 1] { risen = second }
            guard simulator.counts[second] < simulator.counts[second - 1], let risen else { continue }
            // Whoever was added was needed, and stays for the delay at least.
            #expect(Int64(second - risen) * 1000 >= policy.scaleDownDelay.milliseconds)
        }
    }
}
