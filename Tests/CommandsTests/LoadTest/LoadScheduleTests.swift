import Schema
import TestSupport
import Testing

@testable import Commands

struct LoadScheduleTests {
    private static let second: LoadTime = 1_000_000_000

    private static func schedule(
        _ rate: String?,
        _ end: LoadSchedule.End = .after(.seconds(1)),
        warmUp: String = "0s"
    ) throws -> LoadSchedule {
        let pace = try rate.map { LoadSchedule.Pace.constant(try #require(Rate($0))) } ?? .closedLoop
        return LoadSchedule(pace: pace, end: end, warmUp: try #require(ManifestDuration(warmUp)))
    }

    /// Every moment that a schedule hands out to somebody who is always there.
    private static func moments(_ schedule: LoadSchedule) -> [LoadSchedule.Due] {
        var (schedule, now, moments) = (schedule, LoadTime(0), [LoadSchedule.Due]())
        while true {
            switch schedule.next(at: now) {
            case .due(let due): moments.append(due)
            case .wait(let time): now = time
            case .over: return moments
            }
        }
    }

    @Test(
        "At a constant rate every request has its moment",
        arguments: [
            ("4/s", [0, 250, 500, 750]), ("3/s", [0, 333, 666]), ("2/1s", [0, 500]), ("1/m", [0]),
        ]
    )
    func moments(rate: String, milliseconds: [Int64]) throws {
        #expect(try Self.moments(Self.schedule(rate)).map { $0.at / 1_000_000 } == milliseconds)
    }

    @Test("Moments do not drift, however many there are", arguments: ["7/s", "333/s", "997/s", "20k/m"])
    func drift(rate: String) throws {
        let schedule = try Self.schedule(rate, .after(.seconds(6)))
        let moments = Self.moments(schedule).map(\.at)
        let amount = try #require(Rate(rate))
        let perSixSeconds = amount.amount * 6000 / amount.per.milliseconds
        #expect(Int64(moments.count) == perSixSeconds)
        let errors = moments.enumerated().map { index, moment in
            abs(Double(moment) - Double(index) * 6e9 / Double(perSixSeconds))
        }
        #expect(errors.allSatisfy { $0 < 1.5 })
    }

    @Test("A client that comes late finds all that was due, each with its own moment, and nothing after the end")
    func late() throws {
        var schedule = try Self.schedule("10/s")
        #expect(schedule.dueCount(at: 450_000_000, limit: 100) == 5)
        #expect(schedule.dueCount(at: 450_000_000, limit: 3) == 3)
        for index in 0..<5 {
            let due = LoadSchedule.Due(at: Int64(index) * 100_000_000, isMeasured: true)
            #expect(schedule.next(at: 450_000_000) == .due(due))
        }
        #expect(schedule.next(at: 450_000_000) == .wait(until: 500_000_000))
        #expect(schedule.unsent(at: 450_000_000) == 0)
        #expect(schedule.next(at: Self.second) == .over)
        #expect(schedule.dueCount(at: Self.second, limit: 100) == 0)
        #expect(schedule.unsent(at: 3 * Self.second) == 5)
    }

    @Test("Requests of the warm-up do not count, and come before the duration", arguments: [nil, "10/s"])
    func warmUp(rate: String?) throws {
        var schedule = try Self.schedule(rate, warmUp: "2s")
        #expect(schedule.next(at: 0) == .due(LoadSchedule.Due(at: 0, isMeasured: false)))
        #expect(schedule.endTime == 3 * Self.second)
        if rate != nil {
            #expect(Self.moments(schedule).count { $0.isMeasured } == 10)
            #expect(schedule.unsent(at: 9 * Self.second) == 10)
        } else {
            #expect(schedule.next(at: 2 * Self.second) == .due(LoadSchedule.Due(at: 2 * Self.second, isMeasured: true)))
            #expect(schedule.unsent(at: 9 * Self.second) == 0)
        }
    }

    @Test("A number of requests ends it, whatever time it is", arguments: [nil, "10/s"])
    func counted(rate: String?) throws {
        var schedule = try Self.schedule(rate, .requests(3), warmUp: "1s")
        #expect(schedule.endTime == nil)
        var measured = 0
        for _ in 0..<100 {
            guard case .due(let due) = schedule.next(at: 60 * Self.second) else { break }
            if due.isMeasured { measured += 1 }
        }
        #expect(measured == 3)
        #expect(schedule.next(at: 60 * Self.second) == .over)
        #expect(schedule.unsent(at: 60 * Self.second) == 0)
    }

    @Test("What was handed out and what was not are all that was due", arguments: 0..<50)
    func nothingIsLost(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let rate = Rate(amount: .random(in: 1...5000, using: &random), per: .seconds(1))
        let warmUp = ManifestDuration(milliseconds: .random(in: 0...500, using: &random))
        let length = ManifestDuration(milliseconds: .random(in: 1...2000, using: &random))
        let whole = LoadSchedule(pace: .constant(rate), end: .after(length), warmUp: warmUp)
        var (schedule, now) = (whole, LoadTime(0))
        let stop = LoadTime.random(in: 0...3_000_000_000, using: &random)
        var last: LoadTime = -1
        while now < stop {
            now += .random(in: 0...50_000_000, using: &random)
            while case .due(let due) = schedule.next(at: now) {
                #expect(due.at <= now && due.at > last)
                last = due.at
                if random.oneIn(40) { break }
            }
        }
        let all = Self.moments(whole).count { $0.isMeasured && $0.at < now }
        #expect(schedule.measured + schedule.unsent(at: now) == all)
    }
}
