package import Schema

/// A stretch of time that comes again and again, in which new commits may be applied, or may not.
package struct SyncWindow: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Where there is any such window, commits are applied within one only.
        case allow
        /// No commit is applied within; stronger than any window that allows it.
        case deny
    }

    package var kind: Kind
    /// When the window begins.
    package var schedule: CronExpression
    /// How long it stays, in real time; from 1 minute to 366 days.
    package var duration: ManifestDuration
    /// The clock that the schedule is read by, such as `Europe/Berlin`.
    package var timeZone: SyncTimeZone
    /// Whether `martlet sync` goes ahead in spite of this window.
    package var manualSync: Bool

    package init(
        kind: Kind,
        schedule: CronExpression,
        duration: ManifestDuration,
        timeZone: SyncTimeZone = .utc,
        manualSync: Bool = false
    ) throws {
        guard (60_000...366 * 86_400_000).contains(duration.milliseconds) else {
            throw MartletError("BadSyncWindow", "a sync window lasts from 1m to 366d, not '\(duration)'")
        }
        self.kind = kind
        self.schedule = schedule
        self.duration = duration
        self.timeZone = timeZone
        self.manualSync = manualSync
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            kind: try container.decode(Kind.self, forKey: .kind),
            schedule: try container.decode(CronExpression.self, forKey: .schedule),
            duration: try container.decode(ManifestDuration.self, forKey: .duration),
            timeZone: try container.decodeIfPresent(SyncTimeZone.self, forKey: .timeZone) ?? .utc,
            manualSync: try container.decodeIfPresent(Bool.self, forKey: .manualSync) ?? false
        )
    }
}

extension SyncWindow: CustomStringConvertible {
    /// Reads `allow|deny MINUTE HOUR DAY MONTH WEEKDAY DURATION [TIMEZONE] [manual]`, as on a command line.
    ///
    /// Throws a ``MartletError`` that names the part at fault.
    package init(text: String) throws {
        var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let form = "write 'allow 0 22 * * * 2h Europe/Berlin': allow or deny, five cron fields, how long, the time zone"
        let manualSync = words.last == "manual"
        if manualSync { words.removeLast() }
        guard (7...8).contains(words.count) else {
            throw MartletError("BadSyncWindow", "the sync window '\(text)' has not all its parts; \(form)")
        }
        guard let kind = Kind(rawValue: words[0].lowercased()) else {
            throw MartletError("BadSyncWindow", "the sync window '\(text)' begins with '\(words[0])'; \(form)")
        }
        let schedule: CronExpression
        do {
            schedule = try CronExpression(words[1...5].joined(separator: " "))
        } catch {
            throw MartletError("BadSyncWindow", "in the sync window '\(text)': \(error)")
        }
        guard let duration = ManifestDuration(words[6]) else {
            throw MartletError(
                "BadSyncWindow",
                "in the sync window '\(text)': '\(words[6])' is no duration; write 30m, 2h or 1d"
            )
        }
        try self.init(
            kind: kind,
            schedule: schedule,
            duration: duration,
            timeZone: words.count == 8 ? try SyncTimeZone(words[7]) : .utc,
            manualSync: manualSync
        )
    }

    /// In the form that ``init(text:)`` reads.
    package var description: String {
        "\(self.kind.rawValue) \(self.schedule) \(self.duration) \(self.timeZone)" + (self.manualSync ? " manual" : "")
    }
}
