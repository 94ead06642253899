import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

@Suite("Memory pool")
struct MemoryPoolTests {
    private static func key(_ name: String) -> InstanceKey { InstanceKey(Digest(of: name.utf8)) }

    private static func pool(_ budget: Int64?, _ residents: [(String, Int64, MemoryPool.Hold)]) -> MemoryPool {
        var pool = MemoryPool(budget: budget)
        for (name, bytes, hold) in residents { _ = pool.admit(self.key(name), bytes: bytes, hold: hold) }
        return pool
    }

    /// What is in memory, what comes, and what becomes of it.
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var residents: [(String, Int64, MemoryPool.Hold)]
        var bytes: Int64
        /// Names of what goes; nil: there is no room.
        var evicted: [String]?
        var isNever = false
    }

    static let rows = [
        Row(testDescription: "there is room", residents: [("a", 40, .none)], bytes: 60, evicted: []),
        Row(
            testDescription: "the oldest goes",
            residents: [("a", 40, .none), ("b", 40, .none)],
            bytes: 50,
            evicted: ["a"]
        ),
        Row(
            testDescription: "as many go as are needed, and no more",
            residents: [("a", 20, .none), ("b", 20, .none), ("c", 60, .none)],
            bytes: 35,
            evicted: ["a", "b"]
        ),
        Row(
            testDescription: "what requests use is passed over",
            residents: [("a", 40, .requests), ("b", 40, .none)],
            bytes: 50,
            evicted: ["b"]
        ),
        Row(
            testDescription: "what requests use is waited for",
            residents: [("a", 60, .requests), ("b", 30, .none)],
            bytes: 80,
            evicted: nil
        ),
        Row(
            testDescription: "what stays is not waited for",
            residents: [("a", 60, .always), ("b", 30, .none)],
            bytes: 50,
            evicted: nil,
            isNever: true
        ),
        Row(testDescription: "the whole budget", residents: [("a", 100, .none)], bytes: 100, evicted: ["a"]),
        Row(testDescription: "more than the budget", residents: [], bytes: 101, evicted: nil, isNever: true),
    ]

    @Test("Room is made by the least recently used that nobody needs", arguments: rows)
    func admits(_ row: Row) {
        var pool = Self.pool(100, row.residents)
        let before = pool.taken
        switch pool.admit(Self.key("new"), bytes: row.bytes, hold: .requests) {
        case .granted(let departures):
            #expect(departures.map(\.key) == row.evicted?.map(Self.key))
            #expect(pool.bytes(of: Self.key("new")) == row.bytes)
        case .later:
            #expect(row.evicted == nil && !row.isNever)
            #expect(pool.taken == before)
        case .never:
            #expect(row.isNever)
            #expect(pool.taken == before)
        }
    }

    @Test("Use makes young: who was used last goes last")
    func usesCount() {
        var pool = Self.pool(100, [("a", 30, .none), ("b", 30, .none), ("c", 30, .none)])
        pool.hold(Self.key("a"), .requests)
        pool.hold(Self.key("a"), .none)
        guard case .granted(let departures) = pool.admit(Self.key("d"), bytes: 60, hold: .none) else {
            Issue.record("no room")
            return
        }
        #expect(departures.map(\.key) == [Self.key("b"), Self.key("c")])
    }

    @Test("Room that somebody is still leaving is not given away twice")
    func waitsForLeaving() {
        var pool = Self.pool(100, [("a", 90, .none)])
        guard case .granted(let departures) = pool.admit(Self.key("b"), bytes: 20, hold: .requests) else {
            Issue.record("no room")
            return
        }
        #expect(pool.admit(Self.key("c"), bytes: 50, hold: .requests) == .later)
        for departure in departures { pool.gone(departure) }
        #expect(pool.admit(Self.key("c"), bytes: 50, hold: .requests) == .granted(evicting: []))
    }

    @Test("What turns out larger than it was said to be drives others out")
    func settlesAtWhatWasMeasured() {
        var pool = Self.pool(100, [("a", 40, .none), ("b", 40, .requests)])
        _ = pool.admit(Self.key("c"), bytes: 10, hold: .requests)
        #expect(pool.settle(Self.key("c"), bytes: 30).map(\.key) == [Self.key("a")])
        #expect(pool.taken == 70)
    }

    @Test("Without a budget nothing ever goes")
    func hasNoBudget() {
        let pool = Self.pool(nil, (0..<50).map { ("\($0)", 1 << 40, .none) })
        #expect(pool.count == 50)
    }

    /// The plain way to say what the pool does: a list in the order of last use.
    private struct Model {
        var entries: [(key: InstanceKey, bytes: Int64, hold: MemoryPool.Hold)] = []
        var leaving: [MemoryPool.Departure] = []

        func bytes(_ isCounted: (MemoryPool.Hold) -> Bool) -> Int64 {
            self.entries.reduce(0) { $0 + (isCounted($1.hold) ? $1.bytes : 0) }
        }

        mutating func remove(_ key: InstanceKey) { self.entries.removeAll { $0.key == key } }
    }

    @Test(
        "Never over the budget, never evicts what is held, always the oldest first",
        arguments: 0..<40 as Range<UInt64>
    )
    func holdsItsPromises(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let names = (0..<12).map { Self.key("\($0)") }
        var (pool, model) = (MemoryPool(budget: 100), Model())
        for _ in 0..<300 {
            let key = random.pick(names)
            let hold = random.pick([MemoryPool.Hold.none, .none, .requests, .always])
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                guard pool.bytes(of: key) == nil else { continue }
                let bytes = Int64.random(in: 1...45, using: &random)
                let evictable = model.entries.filter { $0.hold == .none }.map(\.key)
                switch pool.admit(key, bytes: bytes, hold: hold) {
                case .granted(let departures):
                    #expect(departures.map(\.key) == Array(evictable.prefix(departures.count)))
                    // One fewer would not have been enough.
                    let last = departures.last?.bytes ?? 0
                    for departure in departures { model.remove(departure.key) }
                    let left = model.leaving.reduce(0) { $0 + $1.bytes }
                    let taken = model.bytes { _ in true }
                    #expect(departures.isEmpty || taken + left + last + bytes > 100)
                    #expect(taken + left + bytes <= 100)
                    model.leaving += departures
                    model.entries.append((key, bytes, hold))
                case .later:
                    let left = model.leaving.reduce(0) { $0 + $1.bytes }
                    #expect(model.bytes { $0 != .none } + left + bytes > 100)
                case .never:
                    #expect(model.bytes { $0 == .always } + bytes > 100)
                }
            case 2:
                guard let index = model.entries.firstIndex(where: { $0.key == key }) else { continue }
                var entry = model.entries[index]
                let isFreed = hold == .none && entry.hold != .none
                entry.hold = hold
                model.entries[index] = entry
                if isFreed { model.entries.append(model.entries.remove(at: index)) }
                pool.hold(key, hold)
            case 3:
                guard let departure = pool.leave(key) else { continue }
                model.remove(key)
                model.leaving.append(departure)
            default:
                guard !model.leaving.isEmpty else { continue }
                pool.gone(model.leaving.removeFirst())
            }
            #expect(pool.taken == model.bytes { _ in true })
            #expect(pool.staying == model.bytes { $0 == .always })
            #expect(pool.taken <= 100)
        }
    }
}
