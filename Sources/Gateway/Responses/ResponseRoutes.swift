internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Schema
internal import Serving

/// `POST /v1/responses`. Nothing is stored, so every request carries its whole conversation.
struct ResponseRoutes: Sendable {
    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        router.post("/v1/responses") { request, context in try await self.answer(request, context) }
        router.refuseOtherMethods("/v1/responses", allowed: [.post])
    }

    private func answer(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let body = try await request.bodyBytes(upTo: self.plane.maxBodyBytes)
        let call = try ResponseCall(body)
        let endpoint = try self.plane.endpoint(call.model, bodyBytes: body.count)
        do {
            let request = self.plane.call(endpoint, context, call.request)
            let record = ResponseRecord(
                call: call,
                created: self.plane.clock.now().milliseconds / 1000,
                identifiers: self.plane.identifiers
            )
            guard call.streams else { return try await self.whole(request, record) }
            let answer = try await self.plane.service.text(request)
            var response = self.stream(answer, record, FailureLog(context))
            response.stamp(answer.stamp)
            return response
        } catch {
            throw ResponseCall.error(error)
        }
    }

    private func whole(_ request: EndpointCall<TextRequest>, _ record: ResponseRecord) async throws -> Response {
        let collector = AnswerCollector(record) { _ = try $0.receive($1) }
        let stamp = try await self.plane.service.text(request, receive: collector.receive)
        var response = Response.json(try collector.value.finished())
        response.stamp(stamp)
        return response
    }

    private func stream(_ answer: TextAnswer, _ record: ResponseRecord, _ failures: FailureLog) -> Response {
        .eventStream { writer in
            var record = record
            do {
                try await writer.write(record.begin())
                for try await event in answer.events { try await writer.write(record.receive(event)) }
                try Task.checkCancellation()
                try await writer.write(record.end())
            } catch {
                try await writer.write(record.fail(failures.told(error, as: ResponseCall.error)))
            }
            try await writer.finish(nil)
        }
    }
}

extension ResponseBodyWriter {
    /// Writes events one after the other, at once.
    @concurrent fileprivate mutating func write(_ events: [ResponseEvent]) async throws {
        var buffer = ByteBuffer()
        for event in events { buffer.writeImmutableBuffer(ServerSentEvent.encode(event.name, data: event.data)) }
        if buffer.readableBytes > 0 { try await self.write(buffer) }
    }
}
