internal import Schema

extension SyncWindow {
    /// Whether the window is open at a moment: its beginning belongs to it, its end does not.
    func isOpen(at now: Timestamp) -> Bool {
        self.lastStart(at: now) != nil
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

    /// The day of the local calendar at a moment in seconds since 1970, counted from 1970-01-01.
    func localDay(at seconds: Int64) -> Int64 {
        CivilDay.number(ofSecond: seconds + self.timeZone.offset(at: seconds))
    }

    /// Whether the schedule names a day of the local calendar.
    func hasStarts(on day: Int64) -> Bool {
        let date = CivilDay(number: day)
        return self.schedule.includes(month: date.month, day: date.day, weekday: date.weekday)
    }

    /// How far the local clock is ahead of UTC all through a day, in seconds; nil where the clocks may change.
    func steadyOffset(on day: Int64) -> Int64? {
        let (before, after) = CivilDay.surroundings(of: day)
        let offset = self.timeZone.offset(at: before)
        return offset == self.timeZone.offset(at: after) ? offset : nil
    }

    /// Every beginning on one day of the local calendar, in seconds since 1970, ascending.
    ///
    /// A beginning that the clocks jump over takes place when they jump. Of one that comes twice, because they are put
    /// back, the first counts; both do where the schedule names every hour.
    func starts(on day: Int64) -> [Int64] {
        guard self.hasStarts(on: day) else { return [] }
        let times = self.localTimes.map { day * CivilDay.seconds + $0 }
        if let offset = self.steadyOffset(on: day) { return times.map { $0 - offset } }
        let (before, after) = CivilDay.surroundings(of: day)
        let offsets = (self.timeZone.offset(at: before), self.timeZone.offset(at: after))
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
    var localTimes: [Int64] {
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

    /// Two moments in seconds since 1970 between which the day lies, wherever on earth it is.
    static func surroundings(of day: Int64) -> (before: Int64, after: Int64) {
        // No clock on earth is further from UTC than 14 hours.
        (day * self.seconds - 14 * 3600, (day + 1) * self.seconds + 14 * 3600)
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
