internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Serving

/// `POST /v1/chat/completions` and `POST /v1/completions`.
struct TextRoutes: Sendable {
    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        router.post("/v1/chat/completions") { request, context in
            try await self.answer(.chat, request, context)
        }
        router.post("/v1/completions") { request, context in
            try await self.answer(.completion, request, context)
        }
        router.refuseOtherMethods("/v1/chat/completions", allowed: [.post])
        router.refuseOtherMethods("/v1/completions", allowed: [.post])
    }

    private func answer(
        _ format: AnswerFormat,
        _ request: Request,
        _ context: GatewayContext
    ) async throws -> Response {
        let body = try await request.bodyBytes(upTo: self.plane.maxBodyBytes)
        let call =
            switch format {
            case .chat: try TextCall(chat: body)
            case .completion: try TextCall(completions: body)
            }
        let endpoint = try self.plane.endpoint(call.model, bodyBytes: body.count)
        let choice: @Sendable (Int) -> EndpointCall<TextRequest> = { choice in
            self.plane.call(endpoint, context, call.request(ofChoice: choice))
        }
        do {
            return call.streams
                ? try await self.stream(call, format, FailureLog(context), choice)
                : try await self.whole(call, format, choice)
        } catch {
            throw OpenAIError(error).naming(prompt: format.promptParameter)
        }
    }

    private func stream(
        _ call: TextCall,
        _ format: AnswerFormat,
        _ failures: FailureLog,
        _ choice: @escaping @Sendable (Int) -> EndpointCall<TextRequest>
    ) async throws -> Response {
        let ask: @Sendable (Int) async throws -> TextAnswer = { try await self.plane.service.text(choice($0)) }
        let first = try await ask(0)
        let stream = TextStream(
            call: call,
            format: format,
            heading: self.plane.heading(format, model: call.model, stamp: first.stamp),
            failures: failures,
            first: first,
            ask: ask
        )
        var response = Response.eventStream { writer in try await stream.write(to: &writer) }
        response.stamp(first.stamp)
        return response
    }

    private func whole(
        _ call: TextCall,
        _ format: AnswerFormat,
        _ choice: @escaping @Sendable (Int) -> EndpointCall<TextRequest>
    ) async throws -> Response {
        let ask: @Sendable (Int) async throws -> (TextChoice, AnswerStamp) = { number in
            try await TextChoice.collecting { try await self.plane.service.text(choice(number), receive: $0) }
        }
        var (choices, stamp) = ([Int: TextChoice](), AnswerStamp?.none)
        if call.choiceCount == 1 {
            (choices[0], stamp) = try await ask(0)
        } else {
            try await withThrowingTaskGroup(of: (Int, TextChoice, AnswerStamp).self) { group in
                for number in 0..<call.choiceCount {
                    group.addTask {
                        let (choice, stamp) = try await ask(number)
                        return (number, choice, stamp)
                    }
                }
                for try await (number, choice, itsStamp) in group {
                    choices[number] = choice
                    if number == 0 { stamp = itsStamp }
                }
            }
        }
        guard let stamp else { throw CallError(.failed, "The answer broke off before its end.") }
        let usage = call.usage(ofChoices: choices.mapValues(\.usage))
        let text = WholeAnswer.encode(
            choices.sorted { $0.key < $1.key }.map(\.value),
            as: format,
            heading: self.plane.heading(format, model: call.model, stamp: stamp),
            usage: usage,
            logProbabilitiesWanted: call.requests[0].topLogProbabilities != nil
        )
        var response = Response.json(text)
        response.stamp(stamp)
        return response
    }
}

extension TextCall {
    /// The tokens of the whole call: every prompt counts once, however many choices were made of it.
    func usage(ofChoices usages: [Int: TokenUsage]) -> TokenUsage {
        usages.reduce(into: TokenUsage()) { total, choice in
            total.completionTokens += choice.value.completionTokens
            guard choice.key % self.choicesPerPrompt == 0 else { return }
            total.promptTokens += choice.value.promptTokens
            total.cachedTokens += choice.value.cachedTokens
        }
    }
}
