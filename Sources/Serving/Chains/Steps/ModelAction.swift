internal import Planning
internal import Schema

/// `model`: a bare model, asked by what it takes.
///
/// A model of tensors gets its inputs by name, as numbers, texts or nested lists, and gives its outputs so. A model of
/// embeddings gets `input`, a text or a list of texts, and gives a vector or a list of vectors. One that writes gets
/// `prompt` or `messages`, and gives its text.
struct ModelAction: StepPerformer {
    let model: ResourceIdentity
    let name: StepRecord.Named

    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        context.trace.note { $0.model = self.name }
        let model = try context.model(self.model)
        let lease = model as? InstanceLease
        let description = try await lease?.loadedDescription() ?? model.description
        do {
            if let signature = description.tensors, let lease {
                return StepAnswer(output: try await self.run(lease, signature, input))
            }
            if input["input"] != nil { return StepAnswer(output: try await self.embed(input, by: model, context)) }
            return try await self.complete(input, by: model, context)
        } catch let error as MartletError where error.code == "TensorInvalid" {
            throw CallError(context.step.blame(), "step '\(context.path)': \(error.message)")
        }
    }

    private func run(
        _ lease: InstanceLease,
        _ signature: TensorSignature,
        _ input: JSONValue
    ) async throws -> JSONValue {
        var tensors: [Tensor] = []
        for (name, value) in (input.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let known = signature.inputs.first { $0.name == name }
            // The model itself refuses a name that it does not know, with those that it does.
            tensors.append(try Tensor(value, as: known ?? TensorDescription(name: name, datatype: .fp64, shape: nil)))
        }
        let result = try await lease.run(tensors, outputs: [], options: TensorRunOptions())
        return .object(Dictionary(result.outputs.map { ($0.name, $0.json) }) { first, _ in first })
    }

    private func embed(
        _ input: JSONValue,
        by model: any CompletionModel,
        _ context: StepContext
    ) async throws -> JSONValue {
        let texts: [String]
        switch input["input"] {
        case .string(let text): texts = [text]
        case .array(let elements) where !elements.isEmpty && elements.allSatisfy({ $0.string != nil }):
            texts = elements.compactMap(\.string)
        default:
            let message = "step '\(context.path)': 'input' must be a text or a list of texts"
            throw CallError(context.step.blame(forInput: "input"), message)
        }
        let (vectors, usage) = try await model.embed(texts)
        context.spend(usage)
        let values = vectors.map { JSONValue.array($0.map { .number(Double($0)) }) }
        if case .string? = input["input"], let only = values.first { return only }
        return .array(values)
    }

    private func complete(
        _ input: JSONValue,
        by model: any CompletionModel,
        _ context: StepContext
    ) async throws -> StepAnswer {
        let prompt: CompletionRequest.Prompt
        if let text = input["prompt"]?.string {
            prompt = .text(text)
        } else if let messages = ChatMessage.conversation(input["messages"]) {
            prompt = .chat(messages)
        } else {
            let message =
                "step '\(context.path)': a model takes its tensors by name, 'input' to embed, 'prompt' or 'messages'"
            throw CallError(context.step.blame(), message)
        }
        let writing = try await Writing.of(CompletionRequest(prompt: prompt), by: model, spend: context.spend) {
            piece in
            try context.emit?(piece)
        }
        return StepAnswer(output: .string(writing.text), finishReason: writing.finishReason)
    }
}

extension ChatMessage {
    /// The turns that a list of objects with `role` and `content` stands for; nil where it is anything else, or empty.
    static func conversation(_ value: JSONValue?) -> [ChatMessage]? {
        guard let turns = value?.array, !turns.isEmpty else { return nil }
        let messages = turns.compactMap { turn -> ChatMessage? in
            guard let role = turn["role"]?.string, let content = turn["content"]?.string,
                ["system", "user", "assistant"].contains(role)
            else { return nil }
            return ChatMessage(role: role, content: content)
        }
        return messages.count == turns.count ? messages : nil
    }
}
