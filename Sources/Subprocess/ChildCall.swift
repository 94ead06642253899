internal import Foundation
package import Schema

/// One request to a child of an executable, normally this process's own, which answers it and ends.
///
/// Both travel as one line of JSON: the request on the child's standard input, the answer on its standard output.
/// ``ChildService`` is the other side.
package struct ChildCall: Sendable {
    private let executable: String
    private let arguments: [String]
    private let deadline: Duration
    private let kind: Kind

    /// How the errors of a kind of children are called and treated.
    package struct Kind: Sendable {
        /// The first word of the codes: `Probe` makes `ProbeNotStarted`, `ProbeTimedOut` and `ProbeCrashed`.
        package var code: String
        /// How a reconciler treats a child that crashed or took too long.
        package var disposition: MartletError.Disposition

        package init(code: String, disposition: MartletError.Disposition) {
            self.code = code
            self.disposition = disposition
        }
    }

    /// - Parameters:
    ///   - executable: The path of a program that calls ``ChildService/serve(_:)`` when it is given `arguments`.
    ///   - deadline: How long the child may take before it is killed.
    package init(
        executable: String,
        arguments: [String],
        deadline: Duration,
        kind: Kind
    ) {
        self.executable = executable
        self.arguments = arguments
        self.deadline = deadline
        self.kind = kind
    }

    /// Starts the child, and returns its answer. Cancelling ends the child.
    ///
    /// Throws the error that the child answers with, or one of the three of its kind. `subject` says in words what the
    /// child does: `the probe of 'model.gguf'`.
    package func answer<Request: Encodable & Sendable, Answer: Decodable & Sendable>(
        to request: Request,
        as _: Answer.Type,
        subject: String
    ) async throws -> Answer {
        var input = Array(try JSONEncoder().encode(request))
        input.append(UInt8(ascii: "\n"))
        let child: ChildProcess
        do {
            child = try ChildProcess(executable: self.executable, arguments: self.arguments)
        } catch {
            throw MartletError("\(self.kind.code)NotStarted", "\(error)", disposition: .retryable)
        }
        let exit = await self.exit(of: child, input: input)
        try Task.checkCancellation()
        let reply = try? JSONDecoder().decode(ChildReply<Answer>.self, from: Data(exit.output))
        if let answer = reply?.answer { return answer }
        if let failure = reply?.failure { throw failure.error }
        throw self.error(exit, subject: subject)
    }

    private func exit(of child: ChildProcess, input: [UInt8]) async -> ChildProcess.Exit {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread of its own, since it is blocked for as long as the child lives.
                Thread.detachNewThread {
                    continuation.resume(
                        returning: child.run(input: input, closesInput: false, within: self.deadline)
                    )
                }
            }
        } onCancel: {
            child.kill()
        }
    }

    private func error(_ exit: ChildProcess.Exit, subject: String) -> MartletError {
        let (word, end) =
            switch exit.reason {
            case .signal(let number): ("Crashed", "was ended by \(Signal.name(number))")
            case .status(let status): ("Crashed", "ended with status \(status) and without an answer")
            case .excess: ("Crashed", "wrote more than \(ChildProcess.outputLimit) bytes and was ended")
            case .deadline: ("TimedOut", "took longer than \(self.deadline) and was ended")
            }
        return MartletError(
            self.kind.code + word,
            "\(subject) \(end)" + Self.quote(exit.errors),
            disposition: self.kind.disposition
        )
    }

    /// The end of what the child complained about, for an error message.
    private static func quote(_ errors: String) -> String {
        let lines = errors.split(separator: "\n").suffix(3)
        return lines.isEmpty ? "" : ": " + lines.joined(separator: " | ")
    }
}
