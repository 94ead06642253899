internal import Planning
internal import Schema

extension PromptRenderer {
    /// The request for these values, as the guards let it through. Throws ``PromptProblem`` for values that the template
    /// does not take, and for what its guards refuse.
    ///
    /// - Parameters:
    ///   - model: the one that will be asked.
    ///   - models: of the replica, by the resource that declares each.
    ///   - spend: gets the tokens that it takes to tell.
    ///   - note: gets each guard that fires, in order, before anything comes of it.
    func guarded(
        _ values: [String: JSONValue],
        for model: any CompletionModel,
        among models: [ResourceIdentity: any CompletionModel],
        adapters: [String] = [],
        spend: (TokenUsage) -> Void,
        note: (GuardRecord) throws -> Void
    ) async throws -> CompletionRequest {
        let checked = self.guards.check(values: try self.resolve(values))
        let resolved = try checked.pass(note, spend) { PromptProblem(refusal: $0) }
        let asked = try await self.guards.check(asked: self.asked(resolved), with: checked, by: model, models)
        return self.request(
            asking: try asked.pass(note, spend) { PromptProblem(refusal: $0) },
            resolved,
            adapters: adapters
        )
    }

    /// An answer as the guards let it through. Throws `failed` for one that they refuse, and for one that no longer fits
    /// its schema.
    ///
    /// - Parameter tokens: of the answer's text, where they were counted.
    func guarded(
        answer: JSONValue,
        tokens: Int?,
        among models: [ResourceIdentity: any CompletionModel],
        spend: (TokenUsage) -> Void,
        note: (GuardRecord) throws -> Void
    ) async throws -> JSONValue {
        guard self.guards.checkAnswers else { return answer }
        let passed = try await self.guards.check(answer: answer, tokens: tokens, models).pass(note, spend) { refusal in
            CallError(.failed, "the answer was refused by a guard: \(refusal.message)")
        }
        guard let contract = self.output, contract.onInvalid != .pass, passed != answer else { return passed }
        if let problem = contract.problem(in: passed) {
            throw CallError(.failed, "\(problem), now that a guard has redacted it")
        }
        return passed
    }
}

extension PromptGuards.Checked {
    /// What is left of something that was looked at. Throws what `error` makes of a refusal.
    fileprivate func pass(
        _ note: (GuardRecord) throws -> Void,
        _ spend: (TokenUsage) -> Void,
        error: (PromptGuards.Refusal) -> any Error
    ) throws -> Value {
        if self.usage != TokenUsage() { spend(self.usage) }
        for record in self.fired { try note(record) }
        if let refusal = self.refusal { throw error(refusal) }
        return self.value
    }
}

extension PromptProblem {
    fileprivate init(refusal: PromptGuards.Refusal) {
        self.init(
            variable: refusal.variable,
            message: "what is asked was refused by a guard: \(refusal.message)",
            code: .guardRefused
        )
    }
}
