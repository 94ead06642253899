internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Schema

/// What is written down of requests, on the admin API: `requests`, `feedback`.
struct RecordRoutes: Sendable {
    private static let conditions = [
        "since", "until", "id", "namespace", "endpoint", "tenant", "revision", "status", "text", "before", "after",
        "limit",
    ]

    let plane: AdminPlane
    let records: any RecordStore
    let clock: any WallClock

    func register(on router: Router<GatewayContext>) {
        let (list, one, feedback) = ("/api/v1/requests", "/api/v1/requests/{id}", "/api/v1/requests/{id}/feedback")
        router.get(RouterPath(list)) { request, _ in try await self.list(request) }
        router.get(RouterPath(one)) { request, context in try await self.one(request, context) }
        router.get(RouterPath(feedback)) { request, context in
            let query = try AdminQuery(request, knows: ["limit"])
            let limit = try query.limit(otherwise: 100)
            return try Response.json(coding: await self.records.feedback(of: try Self.id(context), limit: limit))
        }
        router.post(RouterPath(feedback)) { request, context in try await self.add(request, context) }
        let replay: RouterPath = "/api/v1/requests/{id}/replay"
        router.post(replay) { request, context in try await self.replay(request, context) }
        router.refuseOtherMethods(replay, allowed: [.post])
        router.get("/api/v1/feedback") { request, _ in
            let query = try AdminQuery(request, knows: ["limit"])
            let limit = try query.limit(otherwise: 100)
            return try Response.json(coding: await self.records.feedback(of: nil, limit: limit))
        }
        router.get("/api/v1/feedback/summary") { request, _ in
            let since = try AdminQuery(request, knows: ["since"]).timestamp("since")
            return try Response.json(coding: await self.records.feedbackSummaries(since: since))
        }
        for path in [list, one, "/api/v1/feedback", "/api/v1/feedback/summary"] {
            router.refuseOtherMethods(RouterPath(path), allowed: [.get])
        }
        router.refuseOtherMethods(RouterPath(feedback), allowed: [.get, .post])
    }

    /// An id may be of any visible characters, so that some stand escaped in the path.
    private static func id(_ context: GatewayContext) throws -> String {
        let text = try context.parameters.require("id")
        return text.removingPercentEncoding ?? text
    }

    private func one(_ request: Request, _ context: GatewayContext) async throws -> Response {
        _ = try AdminQuery(request, knows: [])
        let id = try Self.id(context)
        guard let record = try await self.records.record(id) else {
            throw Problem(status: 404, code: "NotFound", "There is no record of a request '\(id.shortened)'.")
        }
        return Response.json(ByteBuffer(bytes: record.json))
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try AdminQuery(request, knows: Self.conditions + ["format"])
        var wanted = RecordQuery(
            since: try query.timestamp("since"),
            until: try query.timestamp("until"),
            id: try query.text("id"),
            namespace: try query.text("namespace"),
            endpoint: try query.text("endpoint"),
            tenant: try query.text("tenant"),
            revision: try query.text("revision"),
            status: try query.text("status"),
            text: try query.text("text"),
            before: try query.integer("before", in: 0 ... .max),
            after: try query.integer("after", in: 0 ... .max)
        )
        guard wanted.before == nil || wanted.after == nil else {
            throw Problem.badRequest("'before' and 'after' go into different directions; give one of them.")
        }
        let limit = try query.integer("limit", in: 1...10_000).map { Int($0) }
        switch try query.text("format") {
        case nil, "json":
            wanted.limit = limit ?? 100
            return Response.json(Self.encode(try await self.records.search(wanted)))
        case "jsonl": return self.export(wanted, limit: limit)
        case .some(let other):
            throw Problem.badRequest("'format' must be json or jsonl, not '\(other.shortened)'.")
        }
    }

    /// All that is found, one record on each line, page after page.
    private func export(_ query: RecordQuery, limit: Int?) -> Response {
        let records = self.records
        let body = ResponseBody { writer in
            var (query, left) = (query, limit ?? .max)
            while left > 0 {
                query.limit = min(500, left)
                let page = try await records.search(query)
                left -= page.records.count
                for record in page.records {
                    var line = ByteBuffer(bytes: record.json)
                    line.writeStaticString("\n")
                    try await writer.write(line)
                }
                guard let next = page.next else { break }
                if query.after == nil { query.before = next } else { query.after = next }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/jsonl; charset=utf-8"], body: body)
    }

    /// A page, each record as it is stored.
    private static func encode(_ page: RecordPage) -> ByteBuffer {
        var buffer = ByteBuffer(string: "{\"newest\":\(page.newest)")
        if let next = page.next { buffer.writeString(",\"next\":\(next)") }
        buffer.writeStaticString(",\"records\":")
        buffer.writeJSONArray(page.records) { $0.writeBytes($1.json) }
        buffer.writeStaticString("}")
        return buffer
    }

    /// Answers a recorded request again, and gives the record of that.
    private func replay(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let body = try AdminBody(
            try await request.bodyBytes(upTo: AdminPlane.maxBodyBytes),
            knows: ["revision"]
        )
        let id = try Self.id(context)
        guard let record = try await self.records.record(id) else {
            throw Problem(status: 404, code: "NotFound", "There is no record of a request '\(id.shortened)'.")
        }
        guard let replayer = self.plane.replayer else {
            throw Problem(status: 409, code: "Conflict", "This process answers no requests.")
        }
        let new = "replay-\(self.plane.identifiers())"
        try await replayer.replay(record, as: new, on: try body.text("revision"))
        guard let answer = try await self.records.record(new) else {
            throw Problem(status: 500, code: "RecordMissing", "The repeated request '\(new)' left no record.")
        }
        return Response.json(ByteBuffer(bytes: answer.json))
    }

    private func add(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let body = try AdminBody(
            try await request.bodyBytes(upTo: AdminPlane.maxBodyBytes),
            knows: ["score", "label", "comment", "correction"]
        )
        let feedback = Feedback(
            requestID: try Self.id(context),
            at: self.clock.now(),
            by: try self.plane.operatorRequest(request, reason: "").actor.name,
            score: try body.number("score"),
            label: try body.text("label"),
            comment: try body.text("comment"),
            correction: body["correction"]
        )
        guard !feedback.isEmpty else {
            throw Problem.badRequest("Give a score, a label, a comment or a correction.")
        }
        return try Response.json(coding: await self.records.add(feedback) { _ in true })
    }
}

extension AdminQuery {
    /// Milliseconds since 1970.
    fileprivate func timestamp(_ name: String) throws -> Timestamp? {
        try self.integer(name, in: 0 ... .max).map { Timestamp(milliseconds: $0) }
    }
}
