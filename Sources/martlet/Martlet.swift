internal import Commands
internal import Engines
internal import Foundation
internal import GitSource
internal import StateStore
internal import UnixSignals

/// The executable: wires everything, decides nothing.
@main
enum Martlet {
    static let version = "0.1.0"

    static func main() async {
        let code = await CommandEnvironment.$task.withValue(Martlet.environment()) {
            await MartletCommand.run(Array(CommandLine.arguments.dropFirst()))
        }
        // Engine calls that were left behind may still run: no library's destructors may pull the floor from under them.
        fflush(nil)
        _exit(code)
    }

    /// The verbs' way out into the real world.
    private static func environment() -> CommandEnvironment {
        let variables = ProcessInfo.processInfo.environment
        let engines = EngineDirectory(searchPath: EngineDirectory.searchPath(environment: variables))
        return CommandEnvironment(
            openRepository: { try GitRepository(path: $0) },
            openSource: { try OfflineSource.open($0, in: $1, stateDirectory: $2, environment: variables) },
            openVerifier: { GitCommitVerifier(try GitRepository(path: $0)) },
            run: { try await Controlling.run($0, environment: variables) },
            probe: { ProbeChild.run() },
            fetch: { FetchChild.run() },
            engines: engines,
            state: StateVerbs.tools(environment: variables),
            socketPath: { try Martlet.paths(stateDirectory: $0, environment: variables).adminSocket },
            print: { Martlet.write($0, to: .standardOutput) },
            printError: { Martlet.write($0, to: .standardError) },
            colour: isatty(STDOUT_FILENO) == 1 && variables["NO_COLOR"]?.isEmpty ?? true,
            columns: Martlet.columns,
            showProgress: isatty(STDERR_FILENO) == 1 ? Martlet.showProgress : nil,
            untilInterrupted: Martlet.waitForSignal,
            environment: variables,
            version: Martlet.version,
            build: Martlet.build
        )
    }

    /// How wide the terminal is; nil where standard output is none.
    private static var columns: Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// The executable's size and time: what one build wrote down is nothing to another one.
    private static var build: String {
        let files = FileManager.default
        guard let path = try? files.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            let attributes = try? files.attributesOfItem(atPath: path),
            let modified = attributes[.modificationDate] as? Date
        else { return "" }
        return "\(attributes[.size] ?? 0)-\(modified.timeIntervalSince1970)"
    }

    static func paths(stateDirectory: String?, environment: [String: String]) throws -> StatePaths {
        try StatePaths.resolve(
            option: stateDirectory,
            environment: environment,
            workingDirectory: FileManager.default.currentDirectoryPath
        )
    }

    /// Replaces the terminal's line that is written on.
    @Sendable private static func showProgress(_ line: String?) {
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(line ?? "")".utf8))
    }

    /// Returns at Ctrl-C, or when its task is cancelled.
    @Sendable private static func waitForSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return }
    }

    /// A reader that went away, such as `head`, is no reason to fail.
    private static func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data((text + "\n").utf8))
    }
}
