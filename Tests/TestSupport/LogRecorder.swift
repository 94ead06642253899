package import Logging
internal import Synchronization

/// A log that tests look at; its copies share what they keep.
package struct LogRecorder: LogHandler {
    private final class Kept: Sendable {
        let events = Mutex<[LogEvent]>([])
    }

    private let kept = Kept()
    private let onEvent: @Sendable (LogEvent) -> Void
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level

    /// - Parameters:
    ///   - level: Nothing less important is kept.
    ///   - onEvent: Told of each event, once it is kept.
    package init(from level: Logger.Level, onEvent: @escaping @Sendable (LogEvent) -> Void = { _ in }) {
        self.logLevel = level
        self.onEvent = onEvent
    }

    /// What was logged so far, in order.
    package var events: [LogEvent] { self.kept.events.withLock { $0 } }

    /// A logger that writes here.
    package var logger: Logger { Logger(label: "test") { _ in self } }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        self.kept.events.withLock { $0.append(event) }
        self.onEvent(event)
    }
}
