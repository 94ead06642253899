package import Schema

extension FeatureTableSpec.ColumnType {
    /// A value as this type has it; nil when it cannot be one. Text is read, as cells and callers' ids are; null is no value.
    package func read(_ value: JSONValue) -> JSONValue? {
        switch (self, value) {
        case (_, .null): nil
        case (.string, .string), (.integer, .integer), (.number, .number), (.boolean, .bool): value
        case (.string, .integer), (.string, .number), (.string, .bool): .string(value.canonicalJSON)
        case (.integer, .string(let text)): Int64(text).map { .integer($0) }
        case (.integer, .number(let number)): Int64(exactly: number).map { .integer($0) }
        case (.number, .integer(let number)): .number(Double(number))
        case (.number, .string(let text)):
            Double(text).flatMap { $0.isFinite ? .number($0) : nil }
        case (.boolean, .string(let text)): Bool(text).map { .bool($0) }
        // SQLite has no other.
        case (.boolean, .integer(0)): .bool(false)
        case (.boolean, .integer(1)): .bool(true)
        case (.timestamp, _): Timestamp(reading: value).map { _ in value }
        case (.json, .string(let text)): try? JSONValue(parsing: text)
        case (.json, _): value
        case (.string, _), (.integer, _), (.number, _), (.boolean, _): nil
        }
    }
}

extension Timestamp {
    /// Reads a moment as tables have it: `2026-02-03T04:05:06Z`, with another offset or none (UTC), with a space in the
    /// middle, a date alone, or seconds since 1970.
    package init?(reading value: JSONValue) {
        switch value {
        case .integer(let seconds):
            let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
            if overflow { return nil }
            self.init(milliseconds: milliseconds)
        case .number(let seconds):
            guard let milliseconds = Int64(exactly: (seconds * 1000).rounded()) else { return nil }
            self.init(milliseconds: milliseconds)
        case .string(let text):
            guard let moment = MomentText(text) else { return nil }
            self.init(milliseconds: moment.milliseconds)
        case .null, .bool, .array, .object:
            return nil
        }
    }
}

/// A moment in the forms of ISO 8601 that tables use.
private struct MomentText {
    var milliseconds: Int64

    init?(_ text: String) {
        let form = #/(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?/#
        guard let match = text.wholeMatch(of: form)?.output else { return nil }
        func number(_ digits: Substring?) -> Int64 { digits.flatMap { Int64($0) } ?? 0 }
        let (year, month, day) = (number(match.1), number(match.2), number(match.3))
        let (hour, minute, second) = (number(match.4), number(match.5), number(match.6))
        guard (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day), hour < 24, minute < 60,
            second < 61
        else { return nil }
        let fraction = match.7.map { number(Substring(($0 + "000").prefix(3))) } ?? 0
        let seconds = Self.dayNumber(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        self.milliseconds = (seconds - Self.offset(match.8)) * 1000 + fraction
    }

    /// Seconds east of Greenwich.
    private static func offset(_ text: Substring?) -> Int64 {
        guard let text, text != "Z" else { return 0 }
        let digits = text.filter(\.isNumber)
        let seconds = (Int64(digits.prefix(2)) ?? 0) * 3600 + (Int64(digits.suffix(2)) ?? 0) * 60
        return text.hasPrefix("-") ? -seconds : seconds
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        switch month {
        case 2: return isLeap ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }

    /// Days since 1970 in the Gregorian calendar, counted by years that begin in March.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let years = month > 2 ? year : year - 1
        let months = (month + 9) % 12
        return years * 365 + years / 4 - years / 100 + years / 400 + (months * 306 + 5) / 10 + day - 719_469
    }
}
