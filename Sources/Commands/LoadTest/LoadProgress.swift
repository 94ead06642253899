internal import Schema

/// How far a load test is, for a terminal.
struct LoadProgress: Sendable {
    private static let width = 24

    var elapsed: LoadTime
    var schedule: LoadSchedule
    var answered: Int
    var failed: Int

    /// From 0 to 1; nil during the warm-up.
    var share: Double? {
        guard self.elapsed >= self.schedule.warmUp else { return nil }
        switch self.schedule.end {
        case .after(let duration):
            return min(1, Double(self.elapsed - self.schedule.warmUp) / Double(duration.milliseconds * 1_000_000))
        case .requests(let count): return min(1, Double(self.answered) / Double(max(1, count)))
        }
    }

    /// One line without its break: `[######------------------]  25 %  7 s  1400 answered, 3 failed, 200/s`.
    var line: String {
        let seconds = self.elapsed / 1_000_000_000
        guard let share = self.share else { return "[\(Self.bar(0))] warming up, \(seconds) s" }
        let measured = Double(self.elapsed - self.schedule.warmUp) / 1_000_000_000
        let rate = measured > 0 ? Int((Double(self.answered) / measured).rounded()) : 0
        let failures = self.failed > 0 ? ", \(self.failed) failed" : ""
        let percent = String(Int(share * 100))
        let padding = String(repeating: " ", count: 3 - percent.count)
        return
            "[\(Self.bar(share))] \(padding)\(percent) %  \(seconds) s  \(self.answered) answered\(failures), \(rate)/s"
    }

    private static func bar(_ share: Double) -> String {
        let full = Int(share * Double(Self.width))
        return String(repeating: "#", count: full) + String(repeating: "-", count: Self.width - full)
    }
}
