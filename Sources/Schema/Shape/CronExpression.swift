/// Checks of cron's five fields: minute, hour, day of the month, month, day of the week.
enum CronExpression {
    private static let fields: [(range: ClosedRange<Int>, words: [String])] = [
        (0...59, []),
        (0...23, []),
        (1...31, []),
        (1...12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        (0...7, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]

    static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: " ")
        guard parts.count == Self.fields.count else { return false }
        return zip(parts, Self.fields).allSatisfy { part, field in
            part.split(separator: ",", omittingEmptySubsequences: false)
                .allSatisfy { Self.isValid(item: $0, field.range, field.words) }
        }
    }

    /// `*`, `5`, `1-5`, `mon`, each perhaps with a step: `*/15`.
    private static func isValid(item: Substring, _ range: ClosedRange<Int>, _ words: [String]) -> Bool {
        let step = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if step.count == 2, !(Int(step[1]).map { $0 > 0 } ?? false) { return false }
        if step[0] == "*" { return true }
        let ends = step[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { end in
            words.firstIndex(of: end.lowercased()).map { $0 + range.lowerBound } ?? Int(end)
        }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil else { return false }
        return range.contains(first) && range.contains(last) && first <= last
    }
}
