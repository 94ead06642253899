/// Cron's five fields: minute, hour, day of the month, month, day of the week.
///
/// Each is `*`, a value, a range `1-5`, or several of these with commas; a step `/15` takes every 15th of `*` or of a
/// range, and after a single value goes on to the field's end. Months and days of the week have their English names of
/// three letters too, and Sunday is 0 or 7. Where both kinds of day are restricted, a day that fits either one counts.
package struct CronExpression: Sendable, Hashable {
    /// What is wrong with an expression, and in which of its fields.
    package struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        /// `minute`, `hour`, `day of the month`, `month` or `day of the week`; nil where the whole is at fault.
        package var field: String?
        package var description: String
    }

    /// As it was written, with single spaces.
    package let text: String
    /// Bit n stands for the value n.
    package let minutes: UInt64
    package let hours: UInt64
    private let monthDays: UInt64
    private let months: UInt64
    /// Sunday is 0.
    private let weekDays: UInt64
    private let isMonthDayFree: Bool
    private let isWeekDayFree: Bool

    /// Reads the five fields. Throws a ``Fault`` that names the field, what stands there and what may stand there.
    package init(_ text: String) throws(Fault) {
        let parts = text.split(whereSeparator: \.isWhitespace)
        guard parts.count == CronField.all.count else {
            throw Fault(
                description: "'\(text)' has \(parts.count) \(parts.count == 1 ? "field" : "fields"); write the five of "
                    + "cron: minute, hour, day of the month, month, day of the week"
            )
        }
        self.text = parts.joined(separator: " ")
        self.minutes = try CronField.all[0].read(parts[0])
        self.hours = try CronField.all[1].read(parts[1])
        self.monthDays = try CronField.all[2].read(parts[2])
        self.months = try CronField.all[3].read(parts[3])
        let weekDays = try CronField.all[4].read(parts[4])
        // 7 is Sunday again.
        self.weekDays = (weekDays | weekDays >> 7) & 0b111_1111
        self.isMonthDayFree = parts[2].hasPrefix("*")
        self.isWeekDayFree = parts[4].hasPrefix("*")
        guard self.isEverPossible else {
            throw Fault(
                field: CronField.all[2].name,
                description: "the day of the month '\(parts[2])' never comes in the month '\(parts[3])'"
            )
        }
    }

    /// Whether every hour of the day is named.
    package var hasEveryHour: Bool { self.hours == (1 << 24) - 1 }

    /// Whether a day fits.
    ///
    /// - Parameters:
    ///   - month: 1 to 12.
    ///   - day: Of the month, from 1.
    ///   - weekday: 0 to 6, Sunday is 0.
    package func includes(month: Int, day: Int, weekday: Int) -> Bool {
        guard self.months.hasBit(month) else { return false }
        let (fitsMonth, fitsWeek) = (self.monthDays.hasBit(day), self.weekDays.hasBit(weekday))
        return self.isMonthDayFree || self.isWeekDayFree ? fitsMonth && fitsWeek : fitsMonth || fitsWeek
    }

    /// Whether text reads as an expression.
    static func isValid(_ text: String) -> Bool {
        do {
            _ = try CronExpression(text)
            return true
        } catch {
            return false
        }
    }

    private var isEverPossible: Bool {
        guard self.isWeekDayFree else { return self.isMonthDayFree || self.weekDays != 0 }
        let longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains { month in
            self.months.hasBit(month) && (1...longest[month - 1]).contains { self.monthDays.hasBit($0) }
        }
    }
}

extension CronExpression: Codable, CustomStringConvertible {
    package var description: String { self.text }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            try self.init(try container.decode(String.self))
        } catch let fault as Fault {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: fault.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.text)
    }
}

/// One of the five fields.
private struct CronField: Sendable {
    let name: String
    let range: ClosedRange<Int>
    var words: [String] = []
    /// Where `*` ends, if not with the range: Sunday counts once.
    var starEnd: Int?

    static let all = [
        CronField(name: "minute", range: 0...59),
        CronField(name: "hour", range: 0...23),
        CronField(name: "day of the month", range: 1...31),
        CronField(
            name: "month",
            range: 1...12,
            words: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        ),
        CronField(
            name: "day of the week",
            range: 0...7,
            words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
            starEnd: 6
        ),
    ]

    /// The values that the field names, each as a bit.
    func read(_ text: Substring) throws(CronExpression.Fault) -> UInt64 {
        var bits: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let values = self.values(of: item) else {
                throw CronExpression.Fault(field: self.name, description: self.refusal(of: item))
            }
            for value in values { bits |= 1 << UInt64(value) }
        }
        return bits
    }

    /// `*`, `5`, `1-5`, `mon`, each perhaps with a step; nil where the item is none of them.
    private func values(of item: Substring) -> StrideThrough<Int>? {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var step = 1
        if parts.count == 2 {
            guard let given = CronField.number(parts[1]), given > 0 else { return nil }
            step = given
        }
        guard parts[0] != "*" else { return stride(from: self.range.lowerBound, through: self.end, by: step) }
        let ends = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = self.value(ends[0]) else { return nil }
        var last = parts.count == 2 ? max(self.end, first) : first
        if ends.count == 2 {
            guard let given = self.value(ends[1]) else { return nil }
            // A week may end on Sunday.
            last = given == 0 && first > 0 && self.range.upperBound == 7 ? 7 : given
        }
        return first <= last ? stride(from: first, through: last, by: step) : nil
    }

    private var end: Int { self.starEnd ?? self.range.upperBound }

    private func value(_ text: Substring) -> Int? {
        let named = self.words.firstIndex(of: text.lowercased()).map { $0 + self.range.lowerBound }
        guard let value = named ?? CronField.number(text), self.range.contains(value) else { return nil }
        return value
    }

    private static func number(_ text: Substring) -> Int? {
        text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
    }

    private func refusal(of item: Substring) -> String {
        let names = self.words.isEmpty ? "" : " or \(self.words[0])-\(self.words[self.words.count - 1])"
        return "'\(item)' is no \(self.name); write \(self.range.lowerBound) to \(self.range.upperBound)\(names), "
            + "'*', a range such as '\(self.range.lowerBound)-\(self.range.lowerBound + 4)', or either with a step "
            + "such as '*/2'"
    }
}

extension UInt64 {
    /// Whether the bit with this number, from 0, is set.
    package func hasBit(_ number: Int) -> Bool { self >> UInt64(number) & 1 == 1 }
}
