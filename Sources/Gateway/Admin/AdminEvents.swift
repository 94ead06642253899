internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Schema
internal import ServiceLifecycle

/// `GET /api/v1/events`: what happened, at once or as it happens.
struct AdminEvents: Sendable {
    let plane: AdminPlane

    func register(on router: Router<GatewayContext>) {
        let path: RouterPath = "/api/v1/events"
        router.get(path) { request, _ in try await self.answer(request) }
        router.refuseOtherMethods(path, allowed: [.get])
    }

    private func answer(_ request: Request) async throws -> Response {
        let query = try AdminQuery(request, knows: ["after", "resource", "limit", "follow"])
        var events = EventQuery(
            after: try query.integer("after", in: 0 ... .max),
            resource: try query.identity("resource"),
            limit: try query.limit(otherwise: 100)
        )
        let acceptsStream = request.headers[.accept]?.contains("text/event-stream") ?? false
        guard try query.boolean("follow") ?? acceptsStream else {
            return try Response.json(coding: await self.plane.commands.events(events))
        }
        if let last = request.headers[.lastEventID].flatMap({ Int64($0) }) { events.after = last }
        // Who names the last event it knows must miss none of those since, however many there are.
        if events.after != nil { events.limit = .max }
        return try await self.follow(events)
    }

    /// Stored events first, then new ones, each once: the stream is opened before the store is read.
    private func follow(_ query: EventQuery) async throws -> Response {
        let live = await self.plane.commands.eventStream()
        let stored = try await self.plane.commands.events(query)
        return Response.eventStream { writer in
            var last = query.after ?? 0
            // The head alone tells the client that it is subscribed.
            try await writer.write(ByteBuffer(string: ": events\n\n"))
            for event in stored {
                try await writer.write(Self.encode(event))
                last = max(last, event.sequence)
            }
            // A server that shuts down waits for its answers; this one would never end.
            for await event in live.cancelOnGracefulShutdown() {
                guard event.sequence > last, query.resource == nil || event.resource == query.resource else { continue }
                last = event.sequence
                try await writer.write(Self.encode(event))
            }
            try await writer.finish(nil)
        }
    }

    private static func encode(_ event: Event) throws -> ByteBuffer {
        ServerSentEvent.encode(
            nil,
            id: String(event.sequence),
            json: String(decoding: try AdminJSON.encode(event), as: UTF8.self)
        )
    }
}
