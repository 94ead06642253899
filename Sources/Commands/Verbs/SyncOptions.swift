internal import ArgumentParser
internal import Planning
internal import Schema

/// When `martlet run` applies new commits.
struct SyncOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "automatic: new commits are applied as they come. manual: 'martlet sync' applies them.",
            valueName: "mode"
        )
    )
    var syncMode: SyncPolicy.Mode = .automatic

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            When new commits may be applied, as 'allow|deny MINUTE HOUR DAY MONTH WEEKDAY DURATION [TIMEZONE] [manual]', \
            such as 'allow 0 22 * * mon-fri 2h Europe/Berlin'; repeatable. 'deny' is stronger. With 'manual', 'martlet \
            sync' passes.
            """,
            valueName: "window"
        )
    )
    var syncWindow: [String] = []

    func validate() throws {
        do {
            _ = try self.policy()
        } catch {
            throw ValidationError("--sync-window: \(error)")
        }
    }

    /// Throws for a window that cannot be read.
    func policy() throws -> SyncPolicy {
        SyncPolicy(mode: self.syncMode, windows: try self.syncWindow.map { try SyncWindow(text: $0) })
    }
}

extension SyncPolicy.Mode: ExpressibleByArgument {}
