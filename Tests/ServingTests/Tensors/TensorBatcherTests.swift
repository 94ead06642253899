import TestSupport
import Testing

@testable import Serving

struct TensorBatcherTests {
    private typealias Request = TensorBatcher.Request

    /// A request of `rows` rows that may be put together with those of its layout.
    private static func row(
        _ id: UInt64,
        rows: Int = 1,
        layout: [[Int]] = [[4]],
        maxRows: Int = 4,
        delay: Duration = .milliseconds(2),
        priority: RequestPriority = .normal
    ) -> TensorBatcher.Event {
        let joining = TensorBatcher.Joining(layout: layout, rows: rows, maxRows: maxRows, maxDelay: delay)
        return .arrived(Request(id: id, priority: priority, joining: joining))
    }

    private static func alone(_ id: UInt64, priority: RequestPriority = .normal) -> TensorBatcher.Event {
        .arrived(Request(id: id, priority: priority))
    }

    /// What happens at which millisecond, and the runs that begin then.
    struct Story: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var allowed = 1
        var steps: [(at: Int, event: TensorBatcher.Event, runs: [[UInt64]])]
        /// When it wants to be woken after all that, in milliseconds.
        var wakeUp: Int?
    }

    static let stories: [Story] = [
        Story(testDescription: "one alone runs at once", steps: [(0, alone(1), [[1]])]),
        Story(
            testDescription: "those alone run in order, one after the other",
            steps: [(0, alone(1), [[1]]), (0, alone(2), []), (0, alone(3), []), (1, .ended, [[2]]), (2, .ended, [[3]])]
        ),
        Story(
            testDescription: "a batch waits for its time, and not longer",
            steps: [(0, row(1), []), (1, row(2), []), (1, .timePassed, []), (2, .timePassed, [[1, 2]])]
        ),
        Story(testDescription: "it asks to be woken in time", steps: [(3, row(1), [])], wakeUp: 5),
        Story(
            testDescription: "a full batch does not wait",
            steps: [(0, row(1, rows: 2), []), (0, row(2), []), (0, row(3), [[1, 2, 3]])]
        ),
        Story(
            testDescription: "what does not fit goes with the next batch",
            steps: [
                (0, row(1, rows: 3), []), (0, row(2, rows: 2), [[1]]), (0, row(3, rows: 2), []), (1, .ended, [[2, 3]]),
            ]
        ),
        Story(
            testDescription: "a request that is larger than a batch runs alone and at once",
            steps: [(0, row(1, rows: 9), [[1]])]
        ),
        Story(
            testDescription: "other layouts do not mix",
            allowed: 2,
            steps: [(0, row(1), []), (1, row(2, layout: [[5]]), []), (2, .timePassed, [[1]]), (3, .timePassed, [[2]])]
        ),
        Story(
            testDescription: "while nothing may run a batch fills up past its time",
            steps: [
                (0, alone(1), [[1]]), (0, row(2), []), (5, .timePassed, []), (6, row(3), []), (7, .ended, [[2, 3]]),
            ]
        ),
        Story(
            testDescription: "no wake-up while nothing may run",
            steps: [(0, alone(1), [[1]]), (0, row(2), [])]
        ),
        Story(
            testDescription: "the shortest delay and the smallest size of its requests count",
            allowed: 2,
            steps: [
                (0, row(1, delay: .milliseconds(9)), []), (0, row(2, delay: .milliseconds(1)), []),
                (1, .timePassed, [[1, 2]]), (2, row(3), []), (2, row(4, maxRows: 2), [[3, 4]]),
            ]
        ),
        Story(
            testDescription: "who left is not run, and holds nothing up",
            steps: [
                (0, row(1), []), (1, row(2), []), (1, .left(1), []), (2, .timePassed, []), (3, .timePassed, [[2]]),
                (3, alone(3), []), (3, .left(3), []), (4, .ended, []),
            ]
        ),
        Story(
            testDescription: "the background waits for everybody else",
            steps: [
                (0, alone(1), [[1]]), (0, alone(2, priority: .background), []), (0, row(3, delay: .zero), []),
                (0, row(4, delay: .zero, priority: .background), []), (0, alone(5), []), (1, .ended, [[3, 4]]),
                (2, .ended, [[5]]), (3, .ended, [[2]]),
            ]
        ),
        Story(
            testDescription: "more copies begin what waits, and fewer hold it back",
            steps: [
                (0, alone(1), [[1]]), (0, alone(2), []), (0, alone(3), []), (0, .allowed(2), [[2]]),
                (0, .allowed(1), []),
                (1, .ended, []), (1, .ended, [[3]]),
            ]
        ),
    ]

    @Test("Requests run together and in order", arguments: stories)
    func story(_ story: Story) {
        var batcher = TensorBatcher(allowed: story.allowed)
        for step in story.steps {
            #expect(batcher.receive(step.event, at: .milliseconds(step.at)) == step.runs, "at \(step.at)")
        }
        #expect(batcher.wakeUp == story.wakeUp.map { .milliseconds($0) })
    }

    /// Whatever comes in whatever order: each request runs once, unless it left before, with its own kind only, in no
    /// batch that is too large, and no later than its time where a run is free.
    @Test("Random traffic", arguments: 0..<50 as Range<UInt64>)
    func random(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var traffic = RandomTraffic(allowed: Int.random(in: 1...3, using: &random))
        for _ in 0..<400 { traffic.step(&random) }
        traffic.finish()
        #expect(traffic.problems == [])
        #expect(traffic.batches > 5)
    }
}

/// Drives a batcher as a server would, and writes down what it must not do.
private struct RandomTraffic {
    private var batcher: TensorBatcher
    private let allowed: Int
    private var now = 0
    private var nextID: UInt64 = 0
    private var waiting: [UInt64: (request: TensorBatcher.Request, since: Int)] = [:]
    private var underWay = 0
    private(set) var batches = 0
    private(set) var problems: [String] = []

    init(allowed: Int) {
        self.allowed = allowed
        self.batcher = TensorBatcher(allowed: allowed)
    }

    mutating func step(_ random: inout SeededRandom) {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: self.pass(Int.random(in: 0...3, using: &random))
        case 1, 2: if self.underWay > 0 { self.end() }
        case 3:
            guard let id = self.waiting.keys.sorted().randomElement(using: &random) else { return }
            self.waiting[id] = nil
            self.receive(.left(id))
        default: self.arrive(&random)
        }
    }

    /// Lets everything run to its end.
    mutating func finish() {
        for _ in 0..<2_000 where !self.waiting.isEmpty || self.underWay > 0 {
            if self.underWay > 0 { self.end() } else { self.pass(1) }
        }
        if !self.waiting.isEmpty { self.problems.append("\(self.waiting.keys.sorted()) were never run") }
    }

    private mutating func arrive(_ random: inout SeededRandom) {
        self.nextID += 1
        var request = TensorBatcher.Request(id: self.nextID, priority: random.oneIn(4) ? .background : .normal)
        if !random.oneIn(5) {
            request.joining = TensorBatcher.Joining(
                layout: [[Int.random(in: 1...2, using: &random)]],
                rows: Int.random(in: 1...6, using: &random),
                maxRows: Int.random(in: 2...8, using: &random),
                maxDelay: .milliseconds(Int.random(in: 0...4, using: &random))
            )
        }
        self.waiting[request.id] = (request, self.now)
        self.receive(.arrived(request))
    }

    private mutating func end() {
        self.underWay -= 1
        self.receive(.ended)
    }

    /// Lets time pass, and wakes the batcher when it asked for that.
    private mutating func pass(_ milliseconds: Int) {
        for _ in 0..<milliseconds {
            self.now += 1
            if let wakeUp = self.batcher.wakeUp, wakeUp <= .milliseconds(self.now) { self.receive(.timePassed) }
        }
    }

    private mutating func receive(_ event: TensorBatcher.Event) {
        for run in self.batcher.receive(event, at: .milliseconds(self.now)) { self.check(run) }
        guard self.underWay < self.allowed else { return }
        for (id, (request, since)) in self.waiting {
            let runBy = Duration.milliseconds(since) + (request.joining?.maxDelay ?? .zero)
            if runBy <= .milliseconds(self.now) { self.problems.append("\(id) waits at \(self.now) and must not") }
        }
    }

    private mutating func check(_ run: [UInt64]) {
        self.underWay += 1
        if self.underWay > self.allowed { self.problems.append("\(self.underWay) runs at once") }
        if run.isEmpty || Set(run).count != run.count { self.problems.append("a run of \(run)") }
        let found = run.compactMap { self.waiting.removeValue(forKey: $0)?.request }
        if found.count != run.count { self.problems.append("\(run) has what does not wait") }
        guard run.count > 1 else { return }
        self.batches += 1
        let joinings = found.compactMap(\.joining)
        if joinings.count != run.count { self.problems.append("\(run) has what runs alone") }
        if Set(joinings.map(\.layout)).count > 1 { self.problems.append("\(run) mixes layouts") }
        let rows = joinings.reduce(0) { $0 + $1.rows }
        if joinings.contains(where: { $0.maxRows < rows }) { self.problems.append("\(run) has \(rows) rows") }
    }
}
