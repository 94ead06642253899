package import Planning
internal import Schema
internal import Subprocess

/// Probes models in children of an executable, normally this process's own.
package struct ProbeProcess: ModelProbe {
    private let call: ChildCall
    private let searchPath: [String]
    private let limits: ProbeLimits

    /// - Parameters:
    ///   - executable: The path of a program that calls ``ProbeChild/run()`` when it is given `arguments`.
    ///   - searchPath: Where the child looks for engines.
    ///   - deadline: How long a probe may take before it is killed.
    package init(
        executable: String,
        arguments: [String] = [ProbeChild.argument],
        searchPath: [String],
        limits: ProbeLimits = ProbeLimits(),
        deadline: Duration = .seconds(120)
    ) {
        self.call = ChildCall(
            executable: executable,
            arguments: arguments,
            deadline: deadline,
            kind: ChildCall.Kind(code: "Probe", disposition: .terminal)
        )
        self.searchPath = searchPath
        self.limits = limits
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
        return try await self.call.answer(to: request, as: ProbeReport.self, subject: "the probe of '\(opening.file)'")
    }

    private static func warmUp(_ request: CompletionRequest) -> ProbeRequest.WarmUp {
        switch request.prompt {
        case .chat(let messages):
            .init(text: messages.map(\.content).joined(separator: "\n"), maxTokens: request.maxTokens)
        case .text(let text): .init(text: text, maxTokens: request.maxTokens)
        }
    }
}
