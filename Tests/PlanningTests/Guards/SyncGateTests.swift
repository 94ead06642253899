import Planning
import Schema
import Testing

/// Which commit is in force.
@Suite struct SyncGateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var mode = SyncPolicy.Mode.automatic
        var windows: [String] = []
        var applied: ObjectID? = "a"
        var request: SyncGate.Request?
        var newest: ObjectID = "b"
        var isApplied: ObjectID?
        var waits: String?
        var testDescription: String { self.name }
    }

    private static let closed = ["allow 0 22 * * * 2h"]

    /// All at 12:00 UTC.
    static let cases = [
        Case(name: "new commits are applied", isApplied: "b"),
        Case(name: "the first too", applied: nil, isApplied: "b"),
        Case(name: "the one that is applied stays", newest: "a", isApplied: "a"),
        Case(name: "by hand, a new commit waits", mode: .manual, waits: "ManualSync"),
        Case(name: "by hand, the first waits", mode: .manual, applied: nil, waits: "ManualSync"),
        Case(name: "by hand, the applied one stays", mode: .manual, newest: "a", isApplied: "a"),
        Case(name: "a person asks for the newest", mode: .manual, request: .newest, isApplied: "b"),
        Case(name: "a person asks for another", mode: .manual, request: .commit("c"), isApplied: "c"),
        Case(name: "a window is closed", windows: closed, waits: "OutsideSyncWindow"),
        Case(name: "for the first too", windows: closed, applied: nil, waits: "OutsideSyncWindow"),
        Case(name: "but not for the applied one", windows: closed, newest: "a", isApplied: "a"),
        Case(name: "nor for a wish that was granted", windows: closed, request: .newest, isApplied: "b"),
        Case(name: "a window is open", windows: ["allow 0 11 * * * 2h"], isApplied: "b"),
        Case(name: "a window denies", windows: ["deny 0 11 * * * 2h"], waits: "SyncDenied"),
        Case(name: "an open window is no person", mode: .manual, windows: ["allow 0 11 * * * 2h"], waits: "ManualSync"),
        Case(name: "nor is a closed one", mode: .manual, windows: closed, waits: "ManualSync"),
    ]

    @Test(arguments: cases)
    func decides(_ testCase: Case) throws {
        let gate = SyncGate(
            policy: SyncPolicy(mode: testCase.mode, windows: try testCase.windows.map { try SyncWindow(text: $0) }),
            applied: testCase.applied,
            request: testCase.request
        )
        switch gate.decide(newest: testCase.newest, now: Timestamp(milliseconds: 12 * 3_600_000)) {
        case .apply(let commit):
            #expect(commit == testCase.isApplied)
            #expect(testCase.waits == nil)
        case .wait(let wait):
            #expect(testCase.isApplied == nil)
            #expect(wait.word == testCase.waits)
            // Only time ends the wait for a window.
            #expect((wait.until != nil) == (wait.word != "ManualSync"))
        }
    }

    /// The loop sleeps until the wait is over and asks again: by then, and not before, the commit is applied.
    @Test func wakesWhenAWindowOpens() throws {
        let gate = SyncGate(
            policy: SyncPolicy(
                windows: try ["allow 0 22 * * * 2h", "deny 0 21 * * * 90m"].map { try SyncWindow(text: $0) }
            ),
            applied: "a"
        )
        var now = Timestamp(milliseconds: 12 * 3_600_000)
        guard case .wait(let wait) = gate.decide(newest: "b", now: now), let until = wait.until else {
            Issue.record("the window is not closed")
            return
        }
        #expect(until.milliseconds == 22 * 3_600_000 + 30 * 60_000)
        now = until.advanced(byMilliseconds: -1)
        guard case .wait(let still) = gate.decide(newest: "b", now: now) else {
            Issue.record("the window opens too early")
            return
        }
        #expect(still.until == until)
        #expect(gate.decide(newest: "b", now: until) == .apply("b"))
    }
}
