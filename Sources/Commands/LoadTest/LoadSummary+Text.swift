internal import Foundation
internal import Schema

extension LoadSummary {
    /// The summary for people.
    func text(columns: Int? = CommandEnvironment.current.columns) -> String {
        let load = self.ratePerSecond.map {
            "\(Self.digits($0))/s on at most \(Counted.words(self.concurrency, "connection"))"
        }
        var lines = [
            "Target    \(self.endpoint.map { "\($0) at " } ?? "")\(self.url)",
            "Load      \(load ?? "\(Counted.words(self.concurrency, "client")), each without a pause")",
            "Requests  \(self.requests.answered) in \(Self.digits(self.seconds)) s: "
                + "\(Self.digits(self.requests.perSecond))/s" + (self.interrupted ? " (ended early)" : ""),
        ]
        if let tokens = self.tokens {
            lines.append("Tokens    \(tokens.count): \(Self.digits(tokens.perSecond))/s")
        }
        lines += self.errors.isEmpty ? ["Errors    none"] : self.errors.map { "Errors    \($0.words)" }
        if self.requests.unsent > 0 {
            lines.append(
                "Unsent    \(self.requests.unsent) were due and never sent, since no connection was free: latency "
                    + "would have been higher still"
            )
        }
        let table = self.table(columns: columns)
        return lines.map { PlainText.line($0) }.joined(separator: "\n") + (table.isEmpty ? "" : "\n\n\(table)")
    }

    /// One row for each sort of time; empty where nothing went well.
    private func table(columns: Int?) -> String {
        let rows = [
            ("latency", self.latencyMilliseconds), ("first token", self.firstTokenMilliseconds),
            ("gap", self.gapMilliseconds),
        ]
        guard rows.contains(where: { $0.1 != nil }) else { return "" }
        var table = TextTable(["MILLISECONDS", "MEAN", "P50", "P90", "P99", "P99.9", "MAX"])
        for case (let name, let latency?) in rows {
            let figures = [latency.mean, latency.p50, latency.p90, latency.p99, latency.p999, latency.max]
            table.add([name] + figures.map { Self.digits($0) })
        }
        return table.render(colour: false, columns: columns)
    }

    /// Three digits at least, and no more behind the point than that takes.
    private static func digits(_ number: Double) -> String {
        let places = number >= 100 ? 0 : number >= 10 ? 1 : number >= 1 ? 2 : 3
        return number.formatted(
            .number.precision(.fractionLength(places)).grouping(.never).locale(Locale(identifier: "en_US_POSIX"))
        )
    }
}

extension LoadSummary.Errors {
    /// `12 of 503 model_not_loaded: There is no room.`, `3 of timeout`.
    fileprivate var words: String {
        let sort = [self.status.map { String($0) }, self.code].compactMap { $0 }.joined(separator: " ")
        return "\(self.count) of \(sort)" + (self.message.map { ": \($0)" } ?? "")
    }
}
