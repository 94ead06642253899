internal import Foundation
package import Planning
internal import Schema

/// Probes models in children of an executable, normally this process's own.
package struct ProbeProcess: ModelProbe {
    private let executable: String
    private let arguments: [String]
    private let searchPath: [String]
    private let limits: ProbeLimits
    private let deadline: Duration
    private let clock: any Clock<Duration>

    /// - Parameters:
    ///   - executable: The path of a program that calls ``ProbeChild/run()`` when it is given `arguments`.
    ///   - searchPath: Where the child looks for engines.
    ///   - deadline: How long a probe may take before it is killed.
    package init(
        executable: String,
        arguments: [String] = [ProbeChild.argument],
        searchPath: [String],
        limits: ProbeLimits = ProbeLimits(),
        deadline: Duration = .seconds(120),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.executable = executable
        self.arguments = arguments
        self.searchPath = searchPath
        self.limits = limits
        self.deadline = deadline
        self.clock = clock
    }

    package func probe(
        engine: String,
        opening: ModelOpening,
        warmUp: [CompletionRequest]
    ) async throws -> ProbeReport {
        let request = ProbeRequest(
            engine: engine,
            searchPath: self.searchPath,
            opening: opening,
            warmUp: warmUp.map(ProbeProcess.warmUp),
            limits: self.limits
        )
        var input = Array(try JSONEncoder().encode(request))
        input.append(UInt8(ascii: "\n"))
        let child = try ChildProcess(executable: self.executable, arguments: self.arguments)
        let exit = try await self.exit(of: child, input: input, file: opening.file)
        try Task.checkCancellation()
        return try ProbeProcess.report(of: exit, file: opening.file)
    }

    /// Waits for the child's end, whichever of deadline, cancellation and its own answer brings it about.
    private func exit(of child: ChildProcess, input: [UInt8], file: String) async throws -> ChildProcess.Exit {
        try await withThrowingTaskGroup(of: ChildProcess.Exit?.self) { group in
            group.addTask {
                await withTaskCancellationHandler {
                    await child.run(input: input)
                } onCancel: {
                    child.kill()
                }
            }
            group.addTask {
                try? await self.clock.sleep(for: self.deadline)
                return nil
            }
            let first = try await group.next()
            group.cancelAll()
            if case .some(.some(let exit)) = first { return exit }
            child.kill()
            let killed = try await group.next()
            try Task.checkCancellation()
            throw MartletError(
                "ProbeTimedOut",
                "probing '\(file)' took longer than \(self.deadline); the probe was ended"
                    + ProbeProcess.quote(killed??.errors ?? "")
            )
        }
    }

    private static func report(of exit: ChildProcess.Exit, file: String) throws -> ProbeReport {
        let answer = try? JSONDecoder().decode(ProbeAnswer.self, from: Data(exit.output))
        if let report = answer?.report { return report }
        if let failure = answer?.failure {
            throw MartletError(failure.code, failure.message, disposition: failure.disposition)
        }
        let end =
            switch exit.reason {
            case .signal(let number): "was ended by \(Signal.name(number))"
            case .status(let status): "ended with status \(status) and without an answer"
            }
        throw MartletError("ProbeCrashed", "the probe of '\(file)' \(end)" + self.quote(exit.errors))
    }

    /// The end of what the child complained about, for an error message.
    private static func quote(_ errors: String) -> String {
        let lines = errors.split(separator: "\n").suffix(3)
        return lines.isEmpty ? "" : ": " + lines.joined(separator: " | ")
    }

    private static func warmUp(_ request: CompletionRequest) -> ProbeRequest.WarmUp {
        switch request.prompt {
        case .chat(let messages):
            .init(text: messages.map(\.content).joined(separator: "\n"), maxTokens: request.maxTokens)
        case .text(let text): .init(text: text, maxTokens: request.maxTokens)
        }
    }
}
