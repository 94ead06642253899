/// A time as HTTP's headers write it, in any of the three forms that RFC 9110 (5.6.7) says are to be read.
struct HTTPDate: Sendable, Hashable {
    /// Since the beginning of 1970.
    let seconds: Int

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Nil for a text that is no such time.
    init?(_ text: String) {
        // Sun, 06 Nov 1994 08:49:37 GMT — Sunday, 06-Nov-94 08:49:37 GMT — Sun Nov  6 08:49:37 1994
        var parts = text.split { " ,-".contains($0) }.dropFirst().map(String.init)
        if parts.count == 4, parts[0].first?.isLetter == true {
            parts = [parts[1], parts[0], parts[3], parts[2], "GMT"]
        }
        guard parts.count == 5, parts[4] == "GMT",
            let day = Int(parts[0]), (1...31).contains(day),
            let month = Self.months.firstIndex(of: parts[1]),
            let year = Int(parts[2]), (0...9999).contains(year)
        else { return nil }
        let clock = parts[3].split(separator: ":", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        let isShort = parts[2].count == 2
        let days = Self.days(year: isShort ? year + (year < 70 ? 2000 : 1900) : year, month: month + 1, day: day)
        self.seconds = ((days * 24 + clock[0]) * 60 + clock[1]) * 60 + clock[2]
    }

    /// Days since the beginning of 1970, by the Gregorian calendar.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        // Years that begin in March have their leap day last.
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
