internal import CEngine

/// Receives the log messages of engine libraries, from any thread.
package struct EngineLog: Sendable {
    package enum Level: Int32, Sendable, Hashable {
        case debug
        case info
        case warning
        case error
    }

    package var receive: @Sendable (_ engine: String, _ level: Level, _ message: String) -> Void

    package init(_ receive: @escaping @Sendable (_ engine: String, _ level: Level, _ message: String) -> Void) {
        self.receive = receive
    }

    /// Keeps nothing.
    package static let silent = EngineLog { _, _, _ in }

    /// Connects a library to this log for the rest of the process's life.
    func attach(to table: EngineTable) {
        let context = Unmanaged.passRetained(Receiver(engine: table.name, log: self)).toOpaque()
        table.setLog(
            { level, message, context in
                guard let message, let context else { return }
                let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
                receiver.log.receive(receiver.engine, Level(rawValue: level) ?? .debug, String(cString: message))
            },
            context
        )
    }

    private final class Receiver: Sendable {
        let engine: String
        let log: EngineLog

        init(engine: String, log: EngineLog) {
            self.engine = engine
            self.log = log
        }
    }
}
