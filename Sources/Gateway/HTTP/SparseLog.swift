internal import Logging
internal import NIOCore
internal import Synchronization

/// Logs what clients can bring about as often as they like: each message once in a while, with how often it was left out.
final class SparseLog: Sendable {
    private struct Last {
        var time: NIODeadline
        var leftOut = 0
    }

    /// How long a message is left out after it was logged.
    static let pause = TimeAmount.minutes(1)

    private let logger: Logger
    private let last = Mutex<[String: Last]>([:])

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// - Parameters:
    ///   - message: one of a few: what differs from client to client goes into `metadata`.
    ///   - now: by the clock of any event loop.
    func log(_ level: Logger.Level, _ message: String, metadata: Logger.Metadata, at now: NIODeadline) {
        let leftOut: Int? = self.last.withLock { all in
            if let last = all[message], now < last.time + Self.pause {
                all[message]?.leftOut += 1
                return nil
            }
            return all.updateValue(Last(time: now), forKey: message)?.leftOut ?? 0
        }
        guard let leftOut else { return }
        var metadata = metadata
        if leftOut > 0 { metadata["leftOut"] = "\(leftOut)" }
        self.logger.log(level: level, "\(message)", metadata: metadata)
    }
}
