import Foundation
import Planning
import Schema
import Testing

/// When windows are open, and when they next change.
@Suite struct SyncWindowTests {
    /// One moment of one policy.
    struct Case: Sendable, CustomTestStringConvertible {
        var windows: [String]
        var now: String
        /// The word of the obstacle; nil: open.
        var word: String?
        var until: String?
        var testDescription: String { "\(self.windows.joined(separator: "; ")) at \(self.now)" }

        init(_ windows: String..., at now: String, _ word: String? = nil, until: String? = nil) {
            (self.windows, self.now, self.word, self.until) = (windows, now, word, until)
        }
    }

    static let plain = [
        Case(at: "2026-03-01T00:00:00Z"),
        Case("allow 0 22 * * * 2h", at: "2026-03-01T21:59:59Z", "OutsideSyncWindow", until: "2026-03-01T22:00:00Z"),
        Case("allow 0 22 * * * 2h", at: "2026-03-01T22:00:00Z"),
        Case("allow 0 22 * * * 2h", at: "2026-03-01T23:59:59Z"),
        Case("allow 0 22 * * * 2h", at: "2026-03-02T00:00:00Z", "OutsideSyncWindow", until: "2026-03-02T22:00:00Z"),
        // Longer than the time between two beginnings: it never closes.
        Case("allow 0 22 * * * 25h", at: "2026-03-01T21:00:00Z"),
        Case("deny 0 8 * * mon-fri 10h", at: "2026-03-01T09:00:00Z"),
        Case("deny 0 8 * * mon-fri 10h", at: "2026-03-02T09:00:00Z", "SyncDenied", until: "2026-03-02T18:00:00Z"),
        // What denies is stronger, and what follows on it must allow.
        Case(
            "allow 0 0 * * * 12h",
            "deny 0 6 * * * 12h",
            at: "2026-03-02T07:00:00Z",
            "SyncDenied",
            until: "2026-03-03T00:00:00Z"
        ),
        Case("allow 0 0 * * * 12h", "deny 0 6 * * * 12h", at: "2026-03-02T05:00:00Z"),
        Case(
            "allow 0 0 * * * 1h",
            "allow 0 12 * * * 1h",
            at: "2026-03-02T05:00:00Z",
            "OutsideSyncWindow",
            until: "2026-03-02T12:00:00Z"
        ),
    ]

    /// Windows that open and close often, or for long.
    static let dense = [
        // Nothing is ever let in: it is looked at again a day later.
        Case("deny 0 0 * * * 1d", at: "2026-03-02T05:00:00Z", "SyncDenied", until: "2026-03-03T05:00:00Z"),
        Case("deny * * * * * 2m", at: "2026-03-02T05:00:00Z", "SyncDenied", until: "2026-03-03T05:00:00Z"),
        Case(
            "deny */2 * * * * 1m",
            "deny 1-59/2 * * * * 1m",
            at: "2026-03-02T05:00:00Z",
            "SyncDenied",
            until: "2026-03-03T05:00:00Z"
        ),
        // 2026-03-01 is a Sunday.
        Case("deny * * * * sat,sun,mon 1m", at: "2026-03-01T05:00:00Z", "SyncDenied", until: "2026-03-03T00:00:00Z"),
        Case("deny * * * 1-11 * 1m", at: "2026-01-01T00:00:00Z", "SyncDenied", until: "2026-12-01T00:00:00Z"),
        Case(
            "deny * * * * * 1m",
            "allow 0 12 * * * 1h",
            at: "2026-03-02T05:00:00Z",
            "SyncDenied",
            until: "2026-03-03T05:00:00Z"
        ),
        Case(
            "allow */5 * * * * 1m",
            "deny 0 0 * * * 23h",
            at: "2026-03-02T05:02:00Z",
            "SyncDenied",
            until: "2026-03-02T23:00:00Z"
        ),
        Case(
            "allow 30 23 * * * 1h",
            "deny 0 0 * * * 1440m",
            "deny 0 0 1 * * 1d",
            at: "2026-03-02T05:02:00Z",
            "SyncDenied",
            until: "2026-03-03T05:02:00Z"
        ),
        // The one opening of a year is let through by a freeze that ends just before.
        Case(
            "allow 0 0 24 12 * 1h",
            "deny 0 0 1 1 * 357d",
            at: "2026-03-02T05:02:00Z",
            "SyncDenied",
            until: "2026-12-24T00:00:00Z"
        ),
        // Every minute of three local days, with the night when the clocks jump among them, and of those when they are
        // put back: midnight in Berlin is 22:00 UTC in summer, 23:00 in winter.
        Case(
            "deny * * 28-30 3 * 1m Europe/Berlin",
            at: "2026-03-28T05:00:00Z",
            "SyncDenied",
            until: "2026-03-30T22:00:00Z"
        ),
        Case(
            "deny * * 24-26 10 * 1m Europe/Berlin",
            at: "2026-10-24T05:00:00Z",
            "SyncDenied",
            until: "2026-10-26T23:00:00Z"
        ),
        Case(
            "deny * 0-1,3-23 * * * 1m Europe/Berlin",
            at: "2026-10-24T05:00:00Z",
            "SyncDenied",
            until: "2026-10-25T00:00:00Z"
        ),
        Case(
            "allow 30 5 * * sun 1h America/New_York",
            "deny 0 0 1 3 * 10d America/New_York",
            at: "2026-03-02T05:00:00Z",
            "SyncDenied",
            until: "2026-03-15T09:30:00Z"
        ),
    ]

    static let calendar = [
        Case("allow 0 0 29 2 * 1h", at: "2026-03-01T00:00:00Z", "OutsideSyncWindow", until: "2028-02-29T00:00:00Z"),
        Case("allow 0 0 29 2 * 1h", at: "2097-01-01T00:00:00Z", "OutsideSyncWindow", until: "2104-02-29T00:00:00Z"),
        Case("allow 0 0 31 * * 1h", at: "2026-04-01T00:00:00Z", "OutsideSyncWindow", until: "2026-05-31T00:00:00Z"),
        // Friday, or the 13th.
        Case("allow 0 0 13 * fri 1h", at: "2026-06-06T12:00:00Z", "OutsideSyncWindow", until: "2026-06-12T00:00:00Z"),
        Case("allow 0 0 13 * fri 1h", at: "2026-06-12T12:00:00Z", "OutsideSyncWindow", until: "2026-06-13T00:00:00Z"),
        Case("allow 0 0 1 1 * 30m", at: "1969-12-31T23:00:00Z", "OutsideSyncWindow", until: "1970-01-01T00:00:00Z"),
        Case("allow 0 0 1 jan * 31d", at: "2026-01-31T23:59:59Z"),
        Case("allow 30 5 * * 7 1h", at: "2026-11-21T00:00:00Z", "OutsideSyncWindow", until: "2026-11-22T05:30:00Z"),
    ]

    /// Berlin went from 2:00 to 3:00 on 2026-03-29 and goes from 3:00 back to 2:00 on 2026-10-25, each at 1:00 UTC.
    static let clockChanges = [
        Case(
            "allow 0 22 * * * 1h Europe/Berlin",
            at: "2026-03-28T12:00:00Z",
            "OutsideSyncWindow",
            until: "2026-03-28T21:00:00Z"
        ),
        Case(
            "allow 0 22 * * * 1h Europe/Berlin",
            at: "2026-03-29T12:00:00Z",
            "OutsideSyncWindow",
            until: "2026-03-29T20:00:00Z"
        ),
        // 2:30 does not come: it is when the clocks jump, for as long as ever.
        Case(
            "allow 30 2 * * * 1h Europe/Berlin",
            at: "2026-03-29T00:59:59Z",
            "OutsideSyncWindow",
            until: "2026-03-29T01:00:00Z"
        ),
        Case("allow 30 2 * * * 1h Europe/Berlin", at: "2026-03-29T01:59:59Z"),
        Case(
            "allow 30 2 * * * 1h Europe/Berlin",
            at: "2026-03-29T02:00:00Z",
            "OutsideSyncWindow",
            until: "2026-03-30T00:30:00Z"
        ),
        // 2:30 comes twice: the first counts.
        Case(
            "allow 30 2 * * * 30m Europe/Berlin",
            at: "2026-10-25T00:00:00Z",
            "OutsideSyncWindow",
            until: "2026-10-25T00:30:00Z"
        ),
        Case(
            "allow 30 2 * * * 30m Europe/Berlin",
            at: "2026-10-25T01:00:00Z",
            "OutsideSyncWindow",
            until: "2026-10-26T01:30:00Z"
        ),
        // Every hour is every hour, the one that comes again too.
        Case("allow 30 * * * * 10m Europe/Berlin", at: "2026-10-25T01:30:00Z"),
        // Two hours stay two hours, whatever the clocks show: from 1:00 to 4:00.
        Case(
            "deny 0 1 * * * 2h Europe/Berlin",
            at: "2026-03-29T01:59:59Z",
            "SyncDenied",
            until: "2026-03-29T02:00:00Z"
        ),
        Case("allow 0 9 * * * 1h Asia/Kathmandu", at: "2026-03-29T03:15:00Z"),
        Case(
            "allow 0 0 * * * 1h Pacific/Kiritimati",
            at: "2026-03-29T09:59:00Z",
            "OutsideSyncWindow",
            until: "2026-03-29T10:00:00Z"
        ),
    ]

    @Test(arguments: plain + dense + calendar + clockChanges)
    func obstacle(_ testCase: Case) throws {
        let policy = SyncPolicy(windows: try testCase.windows.map { try SyncWindow(text: $0) })
        let obstacle = policy.obstacle(at: try Self.time(testCase.now))
        #expect(obstacle?.word == testCase.word)
        #expect(obstacle?.until == (try testCase.until.map { try Self.time($0) }))
    }

    @Test(
        arguments: [
            (["allow 0 22 * * * 2h manual"], true), (["allow 0 22 * * * 2h"], false),
            (["allow 0 22 * * * 2h manual", "allow 0 23 * * * 2h"], false),
            (["deny 0 0 * * * 1d manual"], true), (["deny 0 0 * * * 1d manual", "deny 0 0 * * * 1d"], false),
            // The denying window lets pass; then nothing asks for an open one that allows.
            (["deny 0 0 * * * 1d manual", "allow 0 22 * * * 2h"], true),
        ]
    )
    func manualSync(_ windows: [String], isPermitted: Bool) throws {
        let policy = SyncPolicy(windows: try windows.map { try SyncWindow(text: $0) })
        let now = try Self.time("2026-03-02T05:00:00Z")
        #expect(policy.obstacle(at: now) != nil)
        #expect((policy.obstacle(at: now, manual: true) == nil) == isPermitted)
    }

    @Test(
        arguments: [
            "allow 0 22 * * * 2h UTC", "deny */15 8-18 * * mon-fri 10m Europe/Berlin", "allow 0 0 1 1 * 1d UTC manual",
        ]
    )
    func textAndJSONKeepAll(_ text: String) throws {
        let window = try SyncWindow(text: text)
        #expect(window.description == text)
        let policy = SyncPolicy(mode: .manual, windows: [window])
        #expect(try JSONDecoder().decode(SyncPolicy.self, from: JSONEncoder().encode(policy)) == policy)
        #expect(try JSONDecoder().decode(SyncPolicy.self, from: Data("{}".utf8)) == SyncPolicy())
    }

    @Test(
        arguments: [
            ("", "has not all its parts; write 'allow 0 22 * * * 2h Europe/Berlin'"),
            ("allow 0 22 * * *", "has not all its parts"),
            ("permit 0 22 * * * 2h", "begins with 'permit'"),
            ("allow 0 25 * * * 2h", "'25' is no hour; write 0 to 23"),
            ("allow 0 22 * * * 2", "'2' is no duration"),
            ("allow 0 22 * * * 30s", "lasts from 1m to 366d, not '30s'"),
            ("allow 0 22 * * * 2h Berlin", "'Berlin' is no time zone; did you mean 'Europe/Berlin'?"),
            ("allow 0 22 * * * 2h Nowhere", "write UTC or Europe/Berlin"),
            ("allow 0 22 * * * 2h UTC by-hand", "has not all its parts"),
        ]
    )
    func saysWhatIsWrong(_ text: String, message: String) {
        #expect { try SyncWindow(text: text) } throws: { "\($0)".contains(message) }
    }

    static func time(_ text: String) throws -> Timestamp {
        let date = try Date(text, strategy: .iso8601)
        return Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
    }
}
