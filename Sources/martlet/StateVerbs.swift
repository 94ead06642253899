internal import Commands
internal import Foundation
internal import Planning
internal import StateStore

/// Fills in what the verbs do to a state directory by themselves.
enum StateVerbs {
    static func tools(environment: [String: String]) -> StateTools {
        StateTools(
            backup: { request in
                let paths = try Martlet.paths(stateDirectory: request.stateDirectory, environment: environment)
                let manifest = try StateBackup(paths).write(
                    to: request.file,
                    withArtifacts: request.withArtifacts,
                    replacing: request.replacing,
                    version: Martlet.version,
                    at: SystemClock().now()
                )
                return StateVerbs.summary(request.file, manifest)
            },
            restore: { request in
                // Locked for as long as this takes: no controller may run, and none may start.
                let directory = try StateDirectory(
                    Martlet.paths(stateDirectory: request.stateDirectory, environment: environment)
                )
                defer { withExtendedLifetime(directory) {} }
                let report = try StateRestore.run(
                    request.file,
                    into: directory,
                    replacing: request.replacing,
                    by: request.actor,
                    at: SystemClock().now()
                )
                return StateTools.RestoreSummary(
                    backup: StateVerbs.summary(request.file, report.manifest),
                    aside: report.aside,
                    audit: report.audit,
                    wasCutShort: report.wasCutShort
                )
            }
        )
    }

    /// Rebuilds a damaged state before anything uses it, and says what came of that.
    static func rebuild(_ directory: StateDirectory, environment: CommandEnvironment) throws {
        let actor = Actor(NSUserName())
        guard let report = try StateRebuild.run(directory, by: actor, at: SystemClock().now()) else {
            environment.printError("--rebuild-state: the state is sound, nothing was changed")
            return
        }
        for line in report.lines { environment.printError("--rebuild-state: \(line)") }
    }

    private static func summary(_ file: String, _ manifest: BackupManifest) -> StateTools.BackupSummary {
        StateTools.BackupSummary(
            file: file,
            createdAt: manifest.createdAt,
            version: manifest.version,
            files: manifest.files.count,
            bytes: manifest.size
        )
    }
}
