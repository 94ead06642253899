import Logging
import Synchronization
import Testing

@testable import Gateway

/// What is left out of what a listener's library logs.
@Suite("Log of a listener")
struct ListenerLogTests {
    private struct Recorder: LogHandler {
        let note: @Sendable () -> Void
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) { self.note() }
    }

    @Test(
        "Only the library's own errors about being stopped are left out",
        arguments: [
            ("HummingbirdCore", .error, true, false), ("HummingbirdCore", .error, false, true),
            ("HummingbirdCore", .warning, true, true), ("Gateway", .error, true, true),
        ] as [(String, Logger.Level, Bool, Bool)]
    )
    func leavesOut(source: String, level: Logger.Level, isStopping: Bool, isLogged: Bool) {
        let count = Counter()
        let recorder = Recorder { count.increase() }
        let logger = Logger(label: "test") { _ in ListenerLog(recorder) { isStopping } }
        logger.log(level: level, "words", source: source)
        #expect(count.value == (isLogged ? 1 : 0))
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { self.count.withLock { $0 } }

    func increase() { self.count.withLock { $0 += 1 } }
}
