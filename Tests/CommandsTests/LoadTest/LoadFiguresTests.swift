import Planning
import Schema
import TestSupport
import Testing

@testable import Commands

struct LoadFiguresTests {
    @Test("Percentiles are within a thousandth of the exact ones", arguments: 0..<20)
    func percentiles(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var histogram = LatencyHistogram()
        // From 1 µs to 100 s, all orders of magnitude alike.
        let exact = (0..<5000).map { _ in Self.latency(&random) }.sorted()
        for latency in exact { histogram.record(latency) }
        for percentile in [50.0, 90, 99, 99.9] {
            let rank = Int((percentile * Double(exact.count) / 100 - 0.001).rounded(.up)) - 1
            let expected = Double(exact[rank]) / 1_000_000
            let found = histogram.milliseconds(atPercentile: percentile)
            #expect(abs(found - expected) <= expected / 1000 + 0.001, "p\(percentile): \(found), not \(expected)")
        }
        #expect(histogram.count == exact.count)
    }

    private static func latency(_ random: inout SeededRandom) -> LoadTime {
        let size = Int.random(in: 4...11, using: &random)
        return LoadTime.random(in: 1..<(0..<size).reduce(1) { power, _ in power * 10 }, using: &random)
    }

    @Test(
        "A length of time outside of what is kept counts as the nearest that is",
        arguments: [
            (-5, 0.0), (0, 0), (499, 0), (500, 0.001), (1_500_000, 1.5), (3_600_000_000_000, 3_600_000),
            (Int64.max / 2, 3_600_000),
        ] as [(LoadTime, Double)]
    )
    func bounds(nanoseconds: LoadTime, milliseconds: Double) {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds)
        let found = histogram.milliseconds(atPercentile: 100)
        #expect(abs(found - milliseconds) <= milliseconds / 1000)
    }

    private static func outcome(
        _ due: LoadTime,
        _ end: LoadTime,
        isMeasured: Bool = true,
        failure: LoadTally.Failure? = nil,
        message: String? = nil,
        tokens: Int? = nil,
        texts: [LoadTime] = []
    ) -> LoadTally.Outcome {
        LoadTally.Outcome(
            due: LoadSchedule.Due(at: due * 1_000_000, isMeasured: isMeasured),
            end: end * 1_000_000,
            failure: failure,
            message: message,
            tokens: tokens,
            texts: texts.map { $0 * 1_000_000 },
            bytes: 10
        )
    }

    private static let busy = LoadTally.Failure(status: 503, code: "model_not_loaded")
    private static let late = LoadTally.Failure(status: nil, code: "timeout")

    private static let tally = {
        var tally = LoadTally()
        tally.note(Self.outcome(0, 900, isMeasured: false, tokens: 7))
        tally.note(Self.outcome(1000, 1010))
        tally.note(Self.outcome(1000, 1030, tokens: 5, texts: [1005, 1007, 1015]))
        tally.note(Self.outcome(1500, 1520, texts: [1510, 1510]))
        tally.note(Self.outcome(1500, 1600, failure: Self.busy, tokens: 3))
        for message in ["No room.", "Still no room."] {
            tally.note(Self.outcome(1500, 1700, failure: Self.busy, message: message))
        }
        tally.note(Self.outcome(1000, 3000, failure: Self.late))
        return tally
    }()

    @Test("Failures have no latency and no tokens, the warm-up has nothing at all")
    func tally() {
        let tally = Self.tally
        #expect(tally.succeeded == 3 && tally.failed == 4 && tally.answered == 7)
        #expect(tally.latency.count == 3)
        #expect(tally.tokens == 7)
        #expect(tally.bytes == 70)
        #expect(tally.firstToken.count == 2 && tally.gaps.count == 3)
        #expect(tally.span == 1_000_000_000...3_000_000_000)
        #expect(tally.failures == [Self.busy: .init(count: 3, message: "No room."), Self.late: .init(count: 1)])
    }

    private static func summary(_ tally: LoadTally, unsent: Int = 0) throws -> LoadSummary {
        LoadSummary(
            LoadDriver.Result(tally: tally, unsent: unsent, isInterrupted: unsent > 0),
            of: LoadRequest(
                try LoadTarget("http://127.0.0.1:8080"),
                path: "/v1/chat/completions",
                body: [],
                headers: [],
                agent: "test"
            ),
            endpoint: "desk",
            options: LoadGenerator.Options(
                pace: .constant(Rate(amount: 200, per: .seconds(1))),
                end: .after(.seconds(2)),
                warmUp: .seconds(1),
                concurrency: 100,
                timeout: .seconds(60),
                caFile: nil
            )
        )
    }

    @Test("A summary as text")
    func text() throws {
        let text = try Self.summary(Self.tally, unsent: 4).text(columns: nil)
        #expect(
            text == """
                Target    desk at http://127.0.0.1:8080/v1/chat/completions
                Load      200/s on at most 100 connections
                Requests  7 in 2.00 s: 3.50/s (ended early)
                Tokens    7: 3.50/s
                Errors    3 of 503 model_not_loaded: No room.
                Errors    1 of timeout
                Unsent    4 were due and never sent, since no connection was free: latency would have been higher still

                MILLISECONDS   MEAN   P50    P90    P99    P99.9   MAX
                latency        20.0   20.0   30.0   30.0   30.0    30.0
                first token    7.50   5.00   10.0   10.0   10.0    10.0
                gap            3.33   2.00   8.00   8.00   8.00    8.00
                """
        )
    }

    @Test("A summary as JSON has the documented names")
    func json() throws {
        let json = try JSONValue(parsing: Array(Rendering.json(try Self.summary(Self.tally)).utf8))
        let names = [
            "bytes", "concurrency", "endpoint", "errors", "firstTokenMilliseconds", "gapMilliseconds", "interrupted",
            "latencyMilliseconds", "ratePerSecond", "requests", "seconds", "tokens", "url", "warmUpSeconds",
        ]
        #expect(json.object?.keys.sorted() == names)
        #expect(json["requests"]?["perSecond"] == .number(3.5) && json["ratePerSecond"] == .integer(200))
        #expect(
            json["errors"]?.array?.first == [
                "status": 503, "code": "model_not_loaded", "count": 3, "message": "No room.",
            ]
        )
        let figures = ["count", "max", "mean", "min", "p50", "p90", "p99", "p999"]
        #expect(json["latencyMilliseconds"]?.object?.keys.sorted() == figures)
    }

    @Test("All went well only when all was sent and answered so")
    func success() throws {
        var good = LoadTally()
        #expect(try !Self.summary(good).isSuccess)
        good.note(Self.outcome(0, 1))
        #expect(try Self.summary(good).isSuccess)
        #expect(try !Self.summary(good, unsent: 1).isSuccess)
        good.note(Self.outcome(0, 1, failure: Self.busy))
        #expect(try !Self.summary(good).isSuccess)
    }

    @Test(
        "Progress fits its line",
        arguments: [
            (500, 0, 0, "[------------------------] warming up, 0 s"),
            (2000, 150, 0, "[############------------]  50 %  2 s  150 answered, 150/s"),
            (3500, 400, 3, "[########################] 100 %  3 s  400 answered, 3 failed, 160/s"),
        ]
    )
    func progress(milliseconds: LoadTime, answered: Int, failed: Int, line: String) {
        let schedule = LoadSchedule(pace: .closedLoop, end: .after(.seconds(2)), warmUp: .seconds(1))
        let progress = LoadProgress(
            elapsed: milliseconds * 1_000_000,
            schedule: schedule,
            answered: answered,
            failed: failed
        )
        #expect(progress.line == line)
    }
}
