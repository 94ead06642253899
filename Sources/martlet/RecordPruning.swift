internal import Logging
internal import Planning
internal import ServiceLifecycle
internal import StateStore

/// Removes records whose time is over, now and then.
struct RecordPruning: Service {
    private static let pause = Duration.seconds(60)

    let records: SQLiteRecordStore

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                // What could not be removed now is removed later.
                _ = try? await self.records.prune(now: SystemClock().now())
            } while (try? await Task.sleep(for: Self.pause)) != nil
        }
    }
}

extension Controlling {
    /// Opens the records; what an operator should know of them becomes an event and a line of the log.
    static func records(
        _ paths: StatePaths,
        _ store: SQLiteControlStore,
        _ logger: Logger
    ) throws -> SQLiteRecordStore {
        try SQLiteRecordStore(path: paths.recordDatabase, clock: SystemClock()) { message in
            logger.warning("\(message)")
            let event = Event(
                at: SystemClock().now(),
                severity: .warning,
                reason: "RecordsInTrouble",
                message: message
            )
            // On a full disk this fails too, and the log has it.
            _ = try? store.write([.event(event)])
        }
    }
}
