internal import Foundation
internal import Glibc
internal import Planning
internal import Schema
internal import Synchronization
internal import TestSupport

/// A real controller: `martlet run` as a child process on a repository, with a state directory of its own.
///
/// It can be stopped, killed and started again on the same state. Whatever happens in a test, the process is killed and
/// its folder removed when the last reference goes.
final class RunningMartlet: Sendable {
    private struct State {
        var program: Program?
        var addresses: [String: String] = [:]
    }

    /// The repository that is followed.
    let repository: String
    private let folder: TemporaryFolder
    private let options: [String]
    private let variables: [String: String]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - repository: its path.
    ///   - enginePath: a folder of more engines.
    ///   - options: more options of `martlet run`.
    init(_ repository: String, enginePath: String? = nil, options: [String] = []) throws {
        self.repository = repository
        self.folder = try TemporaryFolder()
        self.options = options
        self.variables = enginePath.map { ["MARTLET_ENGINE_PATH": $0] } ?? [:]
    }

    /// Another one for the state and repository of one that has ended.
    init(restarting earlier: RunningMartlet, options: [String]) {
        self.repository = earlier.repository
        self.folder = earlier.folder
        self.options = options
        self.variables = earlier.variables
    }

    /// A controller that is up.
    static func started(
        _ repository: String,
        enginePath: String? = nil,
        options: [String] = []
    ) async throws -> RunningMartlet {
        let martlet = try RunningMartlet(repository, enginePath: enginePath, options: options)
        try await martlet.start()
        return martlet
    }

    /// The state directory.
    var stateDirectory: String { self.folder.file("state") }

    /// The admin API's socket.
    var socket: String { "\(self.stateDirectory)/run/admin.sock" }

    /// The process that runs now, or that ran last.
    var program: Program? { self.state.withLock { $0.program } }

    // MARK: Life

    /// Starts the process and waits for its doors to open.
    func start() async throws {
        try self.launch()
        let file = "\(self.stateDirectory)/run/addresses.json"
        let addresses: [String: String] = try await self.wait(for: "the doors to open") {
            guard let data = FileManager.default.contents(atPath: file) else { return nil }
            return try JSONDecoder().decode([String: String].self, from: data)
        }
        self.state.withLock { $0.addresses = addresses }
    }

    /// Starts the process and waits for nothing.
    func launch() throws {
        // What the last process wrote would be taken for this one's.
        unlink("\(self.stateDirectory)/run/addresses.json")
        // A file of sources says itself what is followed.
        let followed = self.options.contains("--sources") ? [] : [self.repository]
        let words =
            [Executable.path, "run"] + followed + ["--state-dir", self.stateDirectory]
            + ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"] + self.options
        let program = try Program(
            words,
            environment: Executable.environment(self.variables),
            output: self.folder.file("output"),
            complaint: self.folder.file("log")
        )
        self.state.withLock { $0.program = program }
    }

    /// Asks it to stop and waits for its end.
    @discardableResult
    func stop() async -> Program.End? {
        self.program?.signal(SIGTERM)
        return await self.program?.finished()
    }

    /// Kills it as an operator, the kernel or a power switch would, and waits for its end.
    func kill() async {
        self.program?.signal(SIGKILL)
        await self.program?.finished()
    }

    /// What it wrote on standard error since the first start.
    var log: String { (try? String(contentsOfFile: self.folder.file("log"), encoding: .utf8)) ?? "" }

    /// The most memory that the process ever had, in bytes.
    var peakMemory: Int64 {
        let page = self.program.map { "/proc/\($0.id)/status" } ?? ""
        let line = (try? String(contentsOfFile: page, encoding: .utf8))?.split(separator: "\n")
            .first { $0.hasPrefix("VmHWM:") }
        let words = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }) ?? []
        return words.count > 1 ? (Int64(words[1]) ?? 0) * 1024 : 0
    }

    // MARK: Doors

    /// The data plane.
    var data: DataClient { DataClient(address: self.state.withLock { $0.addresses["data"] ?? "" }) }

    /// The listener of `/metrics`, `/livez` and `/readyz`.
    var metrics: DataClient { DataClient(address: self.state.withLock { $0.addresses["metrics"] ?? "" }) }

    /// The listener for hooks of git servers.
    var hooks: DataClient { DataClient(address: self.state.withLock { $0.addresses["hooks"] ?? "" }) }

    /// The admin API.
    var admin: DataClient { DataClient(socket: self.socket) }

    /// Runs a verb against this controller, in its repository.
    func verb(_ words: String...) async throws -> Executable.Result {
        try await self.verb(words)
    }

    /// Runs a verb against this controller, in its repository.
    func verb(_ words: [String]) async throws -> Executable.Result {
        try await Executable.run(
            words,
            in: self.repository,
            environment: self.variables.merging(["MARTLET_STATE_DIR": self.stateDirectory]) { _, new in new }
        )
    }

    // MARK: Waiting

    /// Waits until something is so; throws at once when the process has ended, with its last words.
    func wait(for what: String, _ condition: () async throws -> Bool) async throws {
        let _: Bool = try await self.wait(for: what) { try await condition() ? true : nil }
    }

    /// Waits until something is there; throws at once when the process has ended, with its last words.
    func wait<Value>(for what: String, value: () async throws -> Value?) async throws -> Value {
        do {
            return try await eventually(what) {
                if let end = self.program?.end { throw MartletError("ControllerEnded", "it ended with \(end)") }
                return try await value()
            }
        } catch {
            let lastWords = self.log.split(separator: "\n").suffix(20).joined(separator: "\n")
            throw MartletError("WaitFailed", "while waiting for \(what): \(error)\n\(lastWords)")
        }
    }
}
