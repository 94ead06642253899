internal import Planning
internal import Schema

/// `http`: a call of a server on an allowed host.
struct HTTPAction: StepPerformer {
    let call: ChainSpec.HTTPCall
    /// What a tool says of it may be milder than what the call does.
    let effects: ChainSpec.Effects

    /// For a call whose step sets no limit of its own.
    private static let timeout = Duration.seconds(60)

    /// - Parameter input: `{"query": …, "body": …}`, either of which may be missing.
    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        try await context.perform(self.effects) {
            guard let caller = context.run.resources.http else {
                throw CallError(.unavailable, "step '\(context.path)': this server makes no calls to others")
            }
            let request = OutboundRequest(
                self.call,
                query: input["query"]?.object ?? [:],
                body: input["body"],
                timeout: context.step.timeout ?? Self.timeout,
                traceParent: context.run.resources.traceParent
            )
            return try await caller.call(request).body
        }
    }
}
