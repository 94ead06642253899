import Planning
import Schema
import Synchronization

@testable import Commands

/// What one command line printed, and its exit code.
struct CommandLineRun: Sendable {
    var code: Int32
    var output: String
    var errors: String

    /// Runs a command line against a fake world: every path opens `repository`, and `socket` is the admin API's. Nothing
    /// is kept for later runs unless there is a folder for it, the `cache`.
    static func run(
        _ arguments: [String],
        repository: (any SourceRepository)? = nil,
        socket: String = "/nonexistent/admin.sock",
        engines: any EngineCatalog = KnownEngines([]),
        cache: String? = nil,
        build: String = "",
        columns: Int? = nil,
        interruption: @escaping @Sendable () async -> Void = {
            for await _ in AsyncStream<Never>.makeStream().stream {}
        }
    ) async -> CommandLineRun {
        let (output, errors) = (Lines(), Lines())
        let environment = CommandEnvironment(
            openRepository: { path in
                guard let repository else { throw MartletError("RepositoryNotFound", "no git repository at '\(path)'") }
                return repository
            },
            run: { options in output.append("run \(options.repository) \(options.listen)") },
            probe: { output.append("probe") },
            engines: engines,
            state: StateTools(
                backup: { request in
                    output.append("\(request)")
                    let time = Timestamp(milliseconds: 0)
                    return .init(file: request.file, createdAt: time, version: "1.2.3", files: 2, bytes: 2048)
                },
                restore: { request in
                    output.append("\(request)")
                    let time = Timestamp(milliseconds: 0)
                    return StateTools.RestoreSummary(
                        backup: .init(file: request.file, createdAt: time, version: "1.2.3", files: 2, bytes: 2048),
                        aside: "/state/control.db.before-restore-1",
                        audit: AuditVerification(entries: 3, brokenAt: nil, message: "whole")
                    )
                }
            ),
            socketPath: { directory in directory.map { "\($0)/run/admin.sock" } ?? socket },
            print: { output.append($0) },
            printError: { errors.append($0) },
            colour: false,
            columns: columns,
            untilInterrupted: interruption,
            environment: cache.map { ["MARTLET_CACHE": $0] } ?? [:],
            version: "1.2.3",
            build: build
        )
        let code = await CommandEnvironment.$task.withValue(environment) { await MartletCommand.run(arguments) }
        return CommandLineRun(code: code, output: output.text, errors: errors.text)
    }

    /// Texts as they were printed, each with its line break.
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])

        func append(_ text: String) {
            self.lines.withLock { $0.append(text + "\n") }
        }

        var text: String { self.lines.withLock { $0.joined() } }
    }
}

/// Engines that know one option, `size`.
struct KnownEngines: EngineCatalog {
    private struct Engine: InferenceEngine {
        let name: String
        let version = "7"

        func problems(inOptions options: [String: JSONValue]) -> [OptionProblem] {
            options.keys.sorted().filter { $0 != "size" }.map {
                OptionProblem(option: $0, message: "there is no option '\($0)'")
            }
        }

        func open(_ opening: ModelOpening) throws -> LoadedModel {
            throw MartletError("NotHere", "nothing is opened here")
        }
    }

    private let names: [String]

    init(_ names: [String]) {
        self.names = names
    }

    func reports() -> [EngineReport] {
        self.names.sorted().map { EngineReport(name: $0, location: "built in", version: "7", problem: nil) }
    }

    func engine(named name: String) throws -> any InferenceEngine {
        guard self.names.contains(name) else { throw MartletError("EngineNotInstalled", "no engine '\(name)'") }
        return Engine(name: name)
    }
}
