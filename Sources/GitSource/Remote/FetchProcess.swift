internal import Schema
internal import Subprocess

/// Fetches in children of an executable, normally this process's own, so that a server that stalls holds up nothing.
package struct FetchProcess: Sendable {
    private let executable: String
    private let arguments: [String]
    private let deadline: Duration

    /// - Parameters:
    ///   - executable: The path of a program that calls ``FetchChild/run()`` when it is given `arguments`.
    ///   - deadline: How long a fetch may take before its process is killed.
    package init(
        executable: String,
        arguments: [String] = [FetchChild.argument],
        deadline: Duration
    ) {
        self.executable = executable
        self.arguments = arguments
        self.deadline = deadline
    }

    /// Performs one request. Throws `FetchTimedOut`, `FetchCrashed`, `FetchNotStarted` or what the fetch met with.
    ///
    /// Nothing of a fetch that failed stays behind, however it ended. Cancelling ends the child.
    package func perform(_ request: FetchRequest) async throws -> FetchAnswer {
        let call = ChildCall(
            executable: self.executable,
            arguments: self.arguments,
            deadline: self.deadline * (request.task == .repack ? FetchProcess.repackFactor : 1),
            kind: ChildCall.Kind(code: "Fetch", disposition: .retryable)
        )
        do {
            let subject = "the fetch of '\(request.address)'"
            return try await call.answer(to: request, as: FetchAnswer.self, subject: subject)
        } catch {
            // A process that was killed could not tidy up.
            FetchProcess.sweep(CloneFolder(path: request.clone))
            throw error
        }
    }

    /// Repacking asks no server, and takes as long as the clone is large.
    private static let repackFactor = 10

    /// Leaves alone what another process has locked, which tidies up itself.
    private static func sweep(_ clone: CloneFolder) {
        guard let lock = try? clone.lock(waiting: false) else { return }
        clone.sweep()
        clone.unlock(lock)
    }
}
