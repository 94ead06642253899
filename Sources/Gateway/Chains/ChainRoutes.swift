internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Schema
internal import Serving

/// `POST /v1/chains/{endpoint}`: a chain with its own input and output.
struct ChainRoutes: Sendable {
    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        router.post("/v1/chains/{endpoint}") { request, context in try await self.answer(request, context) }
        router.refuseOtherMethods("/v1/chains/{endpoint}", allowed: [.post])
    }

    private func answer(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let streams = try Self.streams(request)
        let listing = try self.plane.listing(context.parameters.require("endpoint"), separator: ".")
        let limit = min(self.plane.maxBodyBytes, Int(listing.maxBodyBytes))
        let body = try await request.bodyBytes(upTo: limit)
        let input: JSONValue
        do {
            input = try JSONValue(parsing: body)
        } catch {
            throw OpenAIError.invalid("The body is not JSON: \(error).", parameter: nil, code: "invalid_json")
        }
        let call = self.plane.call(listing.name, context, input)
        guard streams else { return try await self.whole(call) }
        let answer = try await self.plane.service.chain(call)
        let stream = ChainStream(answer: answer, failures: FailureLog(context))
        var response = Response.eventStream { writer in try await stream.write(to: &writer) }
        response.stamp(answer.stamp)
        return response
    }

    private func whole(_ call: EndpointCall<JSONValue>) async throws -> Response {
        let collector = AnswerCollector<ChainEvent?, _>(nil) { last, event in last = event }
        let stamp = try await self.plane.service.chain(call, receive: collector.receive)
        guard case .finished(let output, let usage)? = collector.value else {
            throw CallError(.failed, "The chain broke off before its end.")
        }
        var response = Response.json(output)
        response.headers[.martletPromptTokens] = String(usage.promptTokens)
        response.headers[.martletCompletionTokens] = String(usage.completionTokens)
        response.stamp(stamp)
        return response
    }

    private static func streams(_ request: Request) throws -> Bool {
        for (name, value) in request.uri.queryParameters {
            guard name == "stream" else {
                throw OpenAIError.unsupported("'\(name)' is not a known query parameter.", parameter: String(name))
            }
            guard value == "true" || value == "false" else {
                throw OpenAIError.invalid("'stream' must be true or false.", parameter: "stream")
            }
            return value == "true"
        }
        return false
    }
}

/// Writes a chain's events as server-sent events: `step.started`, `step.text`, `step.guard`, `step.finished`,
/// `step.skipped`, `step.failed`, and last `finished` or `error`.
struct ChainStream: Sendable {
    let answer: ChainAnswer
    let failures: FailureLog

    @concurrent func write(to writer: inout any ResponseBodyWriter) async throws {
        do {
            try await self.writeEvents(to: &writer)
        } catch {
            try await writer.write(ServerSentEvent.encode("error", data: self.failures.told(error).body))
        }
        try await writer.finish(nil)
    }

    @concurrent private func writeEvents(to writer: inout any ResponseBodyWriter) async throws {
        for try await event in self.answer.events {
            let (name, data) = Self.spelling(of: event)
            try await writer.write(ServerSentEvent.encode(name, data: data))
            if case .finished = event { return }
        }
        try Task.checkCancellation()
        throw CallError(.failed, "The chain broke off before its end.")
    }

    private static func spelling(of event: ChainEvent) -> (name: String, data: JSONValue) {
        switch event {
        case .stepStarted(let step): ("step.started", ["step": .string(step)])
        case .stepText(let step, let text): ("step.text", ["step": .string(step), "text": .string(text)])
        case .guardFired(let step, let record):
            (
                "step.guard",
                [
                    "step": .string(step), "place": .string(record.place), "rule": .string(record.rule),
                    "action": .string(record.action), "detail": .string(record.detail),
                ]
            )
        case .stepFinished(let step, let output): ("step.finished", ["step": .string(step), "output": output])
        case .stepSkipped(let step): ("step.skipped", ["step": .string(step)])
        case .stepFailed(let step, let code, let message):
            ("step.failed", ["step": .string(step), "code": .string(code), "message": .string(message)])
        case .finished(let output, let usage):
            (
                "finished",
                [
                    "output": output,
                    "usage": [
                        "prompt_tokens": .integer(Int64(usage.promptTokens)),
                        "completion_tokens": .integer(Int64(usage.completionTokens)),
                        "total_tokens": .integer(Int64(usage.promptTokens + usage.completionTokens)),
                    ],
                ]
            )
        }
    }
}
