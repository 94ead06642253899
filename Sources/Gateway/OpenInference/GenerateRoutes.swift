internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Schema
internal import Serving

/// Triton's generate extension: text from an endpoint, whole or as it comes.
struct GenerateRoutes: Sendable {
    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        for path in InferenceRoutes.paths {
            for (name, streams) in [("generate", false), ("generate_stream", true)] {
                let path = RouterPath("\(path)/\(name)")
                router.post(path) { request, context in try await self.answer(request, context, streams: streams) }
                router.refuseOtherMethods(path, allowed: [.post])
            }
        }
    }

    private func answer(_ request: Request, _ context: GatewayContext, streams: Bool) async throws -> Response {
        let target = try self.plane.target(context)
        let body = try await request.bodyBytes(upTo: target.maxBodyBytes)
        let call = try GenerateCall(body, streams: streams)
        let request = self.plane.call(target, context, call.request)
        let writer = { (stamp: AnswerStamp) in
            GenerateWriter(id: call.id, model: target.model, version: stamp.revision.description)
        }
        var response: Response
        if streams {
            let answer = try await self.plane.service.text(request)
            let stream = GenerateStream(answer: answer, writer: writer(answer.stamp), failures: FailureLog(context))
            response = Response.eventStream { try await stream.write(to: &$0) }
            response.stamp(answer.stamp)
        } else {
            let (choice, stamp) = try await TextChoice.collecting {
                try await self.plane.service.text(request, receive: $0)
            }
            response = Response.json(writer(stamp).encode(choice.text, choice.finishReason))
            response.headers[.martletPromptTokens] = String(choice.usage.promptTokens)
            response.headers[.martletCompletionTokens] = String(choice.usage.completionTokens)
            response.stamp(stamp)
        }
        return response
    }
}

/// A decoded request to generate.
struct GenerateCall: Sendable {
    /// The caller's own name of the request, which the answer repeats.
    var id: String?
    var request: TextRequest

    init(_ body: [UInt8], streams: Bool) throws {
        let reader = try ParameterReader(body: body)
        try ParameterRules.generate.check(reader)
        self.id = try reader.string("id")
        self.request = TextRequest(prompt: .text(try reader.required("text_input", reader.string("text_input"))))
        guard let parameters = try reader.object("parameters") else { return }
        try ParameterRules.generateParameters.check(parameters)
        try self.request.readSampling(parameters)
        if let wanted = try parameters.boolean("stream"), wanted != streams {
            throw OpenAIError.invalid(
                "'\(parameters.path("stream"))' is \(wanted): use \(wanted ? "generate_stream" : "generate") for that.",
                parameter: parameters.path("stream")
            )
        }
    }
}

/// Writes the pieces of one answer, each with the same heading.
struct GenerateWriter: Sendable {
    private let heading: ByteBuffer

    init(id: String?, model: String, version: String) {
        var heading = ByteBuffer(string: "{")
        if let id {
            heading.writeStaticString("\"id\":")
            heading.writeJSONString(id)
            heading.writeStaticString(",")
        }
        heading.writeStaticString("\"model_name\":")
        heading.writeJSONString(model)
        heading.writeStaticString(",\"model_version\":")
        heading.writeJSONString(version)
        heading.writeStaticString(",\"text_output\":")
        self.heading = heading
    }

    /// A text, and why it ended where it did.
    func encode(_ text: String, _ reason: FinishReason? = nil) -> ByteBuffer {
        var buffer = self.heading
        buffer.writeJSONString(text)
        if let reason {
            buffer.writeStaticString(",\"finish_reason\":\"")
            buffer.writeString(reason.rawValue)
            buffer.writeStaticString("\"")
        }
        buffer.writeStaticString("}")
        return buffer
    }
}

/// Writes an answer as server-sent events: a piece of text each, the last with the reason of the end.
struct GenerateStream: Sendable {
    let answer: TextAnswer
    let writer: GenerateWriter
    let failures: FailureLog

    @concurrent func write(to body: inout any ResponseBodyWriter) async throws {
        do {
            try await self.writeEvents(to: &body)
        } catch {
            try await body.write(ServerSentEvent.encode(nil, data: self.failures.told(error).inferenceBody))
        }
        try await body.finish(nil)
    }

    @concurrent private func writeEvents(to body: inout any ResponseBodyWriter) async throws {
        for try await event in self.answer.events {
            switch event {
            case .text(let text, _):
                try await body.write(Self.event(self.writer.encode(text)))
            case .toolCall: throw CallError(.failed, "The model called a function, and none was offered.")
            case .finished(let reason, _):
                try await body.write(Self.event(self.writer.encode("", reason)))
                return
            }
        }
        try Task.checkCancellation()
        throw CallError(.failed, "The answer broke off before its end.")
    }

    private static func event(_ json: ByteBuffer) -> ByteBuffer {
        var event = ByteBuffer(string: "data: ")
        event.writeImmutableBuffer(json)
        event.writeStaticString("\n\n")
        return event
    }
}
