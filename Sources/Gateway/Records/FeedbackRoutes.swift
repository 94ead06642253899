internal import HTTPTypes
internal import Hummingbird
internal import Planning
internal import Schema
internal import Serving

/// `POST /v1/feedback`: what callers say of the answers that they had.
struct FeedbackRoutes: Sendable {
    private static let rules = ParameterRules(honoured: ["request_id", "score", "label", "comment", "correction"])

    let plane: DataPlane
    let records: any RecordStore

    /// The most bytes of what may be said at once: it is kept for as long as the record is.
    private static let maxBodyBytes = 1 << 16

    func register(on router: Router<GatewayContext>) {
        router.post("/v1/feedback") { request, context in try await self.answer(request, context) }
        router.refuseOtherMethods("/v1/feedback", allowed: [.post])
    }

    private func answer(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let reader = try ParameterReader(
            body: try await request.bodyBytes(upTo: min(self.plane.maxBodyBytes, Self.maxBodyBytes))
        )
        try Self.rules.check(reader)
        let id = try reader.required("request_id", reader.string("request_id"))
        let caller = self.plane.caller
        let tenant: String? =
            switch caller {
            case .anonymous: nil
            case .tenant(let name): name
            }
        let feedback = Feedback(
            requestID: id,
            at: self.plane.clock.now(),
            by: tenant,
            score: try reader.number("score", in: -1e9...1e9),
            label: try reader.string("label"),
            comment: try reader.string("comment"),
            correction: reader["correction"]
        )
        guard !feedback.isEmpty else {
            throw OpenAIError.invalid("Give a score, a label, a comment or a correction.", parameter: nil)
        }
        do {
            let stored = try await self.records.add(feedback) { record in
                record.tenant == tenant && self.mayUse(record.variant, caller)
            }
            return Response.json(["object": "feedback", "id": .integer(stored.sequence), "request_id": .string(id)])
        } catch let error as MartletError where error.code == "NotFound" {
            // The same for a request that there never was, and for somebody else's.
            throw OpenAIError(
                status: 404,
                "There is no record of a request '\(id.shortened)' of yours.",
                parameter: "request_id",
                code: "request_not_found"
            )
        }
    }

    /// Whether the caller may still use the endpoint; one that does not serve now counts.
    private func mayUse(_ variant: VariantID, _ caller: Caller) -> Bool {
        do {
            let name = EndpointName(namespace: variant.namespace, name: variant.endpoint)
            _ = try self.plane.service.listing(of: name, for: caller)
            return true
        } catch {
            return error.code != .endpointNotFound
        }
    }
}
