internal import Schema

extension SyncWindow {
    /// Whether the window is open at a moment: its beginning belongs to it, its end does not.
    func isOpen(at now: Timestamp) -> Bool {
        self.lastStart(at: now) != nil
    }

    /// When the window may next open or close; nil: never again.
    func nextChange(after now: Timestamp) -> Timestamp? {
        if let start = self.lastStart(at: now) { return start.advanced(byMilliseconds: self.duration.milliseconds) }
        return self.firstStart(from: now.seconds64 + 1)
    }

    /// The latest beginning whose window is open at a moment.
    func lastStart(at now: Timestamp) -> Timestamp? {
        let latest = now.seconds64
        // Of an opening that ends at this very moment nothing is left.
        let earliest = (now.milliseconds - self.duration.milliseconds).flooredSeconds + 1
        for day in stride(from: self.localDay(at: latest) + 1, through: self.localDay(at: earliest) - 1, by: -1) {
            guard let start = self.starts(on: day).last(where: { $0 <= latest }) else { continue }
            return start < earliest ? nil : Timestamp(milliseconds: start * 1000)
        }
        return nil
    }

    /// The first beginning at or after a moment, in seconds since 1970.
    private func firstStart(from earliest: Int64) -> Timestamp? {
        // The rarest day, the 29th of February, may stay away for eight years.
        let first = self.localDay(at: earliest) - 1
        for day in first...first + 9 * 366 {
            guard let start = self.starts(on: day).first(where: { $0 >= earliest }) else { continue }
            return Timestamp(milliseconds: start * 1000)
        }
        return nil
    }

    private func localDay(at seconds: Int64) -> Int64 {
        CivilDay.number(ofSecond: seconds + self.timeZone.offset(at: seconds))
    }

    /// Every beginning on one day of the local calendar, in seconds since 1970, ascending.
    ///
    /// A beginning that the clocks jump over takes place when they jump. Of one that comes twice, because they are put
    /// back, the first counts; both do where the schedule names every hour.
    private func starts(on day: Int64) -> [Int64] {
        let date = CivilDay(number: day)
        guard self.schedule.includes(month: date.month, day: date.day, weekday: date.weekday) else { return [] }
        let midnight = day * CivilDay.seconds
        // No clock on earth is further from UTC than 14 hours.
        let (before, after) = (midnight - 14 * 3600, midnight + CivilDay.seconds + 14 * 3600)
        let offsets = (self.timeZone.offset(at: before), self.timeZone.offset(at: after))
        let times = self.localTimes.map { midnight + $0 }
        if offsets.0 == offsets.1 { return times.map { $0 - offsets.0 } }
        let change = self.offsetChange(between: before, and: after)
        var starts: [Int64] = []
        for time in times {
            let (early, late) = (time - offsets.0, time - offsets.1)
            switch (early < change, late >= change) {
            case (true, true): starts += self.schedule.hasEveryHour ? [early, late] : [early]
            case (true, false): starts.append(early)
            case (false, true): starts.append(late)
            case (false, false): starts.append(change)
            }
        }
        return starts.sorted()
    }

    /// The times of day that the schedule names, in seconds after midnight.
    private var localTimes: [Int64] {
        (0..<24).filter { self.schedule.hours.hasBit($0) }.flatMap { hour in
            (0..<60).filter { self.schedule.minutes.hasBit($0) }.map { Int64(hour * 3600 + $0 * 60) }
        }
    }

    /// The first second at which the clocks show the later of two different offsets.
    private func offsetChange(between before: Int64, and after: Int64) -> Int64 {
        var (low, high) = (before, after)
        let offset = self.timeZone.offset(at: before)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if self.timeZone.offset(at: middle) == offset { low = middle } else { high = middle }
        }
        return high
    }
}

/// A day of the Gregorian calendar.
struct CivilDay: Sendable, Hashable {
    static let seconds: Int64 = 86_400

    /// 1 to 12.
    var month: Int
    /// From 1.
    var day: Int
    /// 0 to 6, Sunday is 0.
    var weekday: Int

    /// - Parameter number: Counted from 1970-01-01, which is 0.
    init(number: Int64) {
        // Years that begin in March have their leap day at the end, and their months have lengths that repeat.
        let sinceMarch = number + 719_468
        let dayOfEra = sinceMarch - sinceMarch.floored(by: 146_097) * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (dayOfYear * 5 + 2) / 153
        self.month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        self.day = Int(dayOfYear - (monthFromMarch * 153 + 2) / 5 + 1)
        // 1970 began on a Thursday.
        self.weekday = Int(number + 4 - (number + 4).floored(by: 7) * 7)
    }

    static func number(ofSecond second: Int64) -> Int64 {
        second.floored(by: CivilDay.seconds)
    }
}

extension Int64 {
    /// The quotient, rounded down.
    fileprivate func floored(by divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }

    fileprivate var flooredSeconds: Int64 { self.floored(by: 1000) }
}

extension Timestamp {
    /// Whole seconds since 1970, rounded down.
    fileprivate var seconds64: Int64 { self.milliseconds.flooredSeconds }
}
