import Logging
import Planning
import Schema
import Synchronization
import Testing

@testable import Controller

/// Events reach the log of whoever only reads that.
struct EventLogTests {
    /// Keeps what is logged, as `level event: message`.
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let word = event.metadata?["event"].map { "\($0)" } ?? ""
            self.lines.all.withLock { $0.append("\(event.level) \(word): \(event.message)") }
        }
    }

    @Test func warningsAndWhatConcernsAllIsLogged() {
        let lines = Lines()
        let hub = EventHub(logger: Logger(label: "test") { _ in Handler(lines: lines) })
        let desk = ResourceIdentity(.endpoint, namespace: "default", name: "desk")
        let at = Timestamp(milliseconds: 1)
        hub.publish([
            Event(at: at, reason: "CommitRead", message: "commit c0ffee: two\nlines"),
            Event(at: at, resource: desk, reason: "Promoted", message: "desk answers"),
            Event(at: at, severity: .warning, resource: desk, reason: "Held", message: "desk stays off"),
        ])
        #expect(
            lines.all.withLock { $0 } == [
                "info CommitRead: commit c0ffee: two lines", "warning Held: desk stays off",
            ]
        )
    }
}
