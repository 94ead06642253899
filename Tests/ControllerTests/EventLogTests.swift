import Logging
import Planning
import Schema
import TestSupport
import Testing

@testable import Controller

/// Events reach the log of whoever only reads that.
struct EventLogTests {
    @Test func warningsAndWhatConcernsAllIsLogged() {
        let log = LogRecorder(from: .info)
        let hub = EventHub(logger: log.logger)
        let desk = ResourceIdentity(.endpoint, namespace: "default", name: "desk")
        let at = Timestamp(milliseconds: 1)
        hub.publish([
            Event(at: at, reason: "CommitRead", message: "commit c0ffee: two\nlines"),
            Event(at: at, resource: desk, reason: "Promoted", message: "desk answers"),
            Event(at: at, severity: .warning, resource: desk, reason: "Held", message: "desk stays off"),
        ])
        let lines = log.events.map { "\($0.level) \($0.metadata?["event"] ?? ""): \($0.message)" }
        #expect(lines == ["info CommitRead: commit c0ffee: two lines", "warning Held: desk stays off"])
    }
}
