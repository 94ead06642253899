internal import HTTPTypes
internal import Hummingbird
internal import Planning
internal import Schema

/// What operators can do: the routes that change something, each with its line in the audit log.
struct AdminActions: Sendable {
    let plane: AdminPlane

    func register(on router: Router<GatewayContext>) {
        self.post("sync", on: router) { request, bytes in
            let body = try SyncBody(bytes: bytes)
            let asked = try self.plane.operatorRequest(request, reason: body.reason)
            return try Response.json(coding: await self.sync(body, asked))
        }
        self.post("confirm", on: router) { request, bytes in
            let body = try ConfirmBody(bytes: bytes)
            let asked = try self.plane.operatorRequest(request, reason: body.reason)
            return try Response.json(coding: await self.plane.commands.confirm(body.commit, asked))
        }
        self.post("suspend", on: router) { request, bytes in
            let body = try SuspendBody(bytes: bytes)
            let asked = try self.plane.operatorRequest(request, reason: body.reason)
            try await self.plane.commands.suspend(body.suspension, asked)
            return Response(status: .noContent)
        }
        self.post("resume", on: router) { request, bytes in
            let body = try SuspendBody(bytes: bytes)
            let asked = try self.plane.operatorRequest(request, reason: body.reason)
            try await self.plane.commands.resume(body.suspension, asked)
            return Response(status: .noContent)
        }
        self.post("rollback", on: router) { request, bytes in
            let body = try RollbackBody(bytes: bytes)
            let asked = try self.plane.operatorRequest(request, reason: body.reason)
            return try Response.json(coding: await self.plane.commands.rollback(body.variant, to: body.to, asked))
        }
        self.post("retry", on: router) { request, bytes in
            let body = try VariantBody(bytes: bytes)
            let asked = try self.plane.operatorRequest(request, reason: body.reason)
            try await self.plane.commands.retry(body.variant, asked)
            return Response(status: .noContent)
        }
        self.post("release", on: router) { request, bytes in
            let body = try VariantBody(bytes: bytes)
            let asked = try self.plane.operatorRequest(request, reason: body.reason)
            try await self.plane.commands.release(body.variant, asked)
            return Response(status: .noContent)
        }
    }

    /// Asks for news first. What was fetched before is applied even where no news can be had, which is said then.
    private func sync(_ body: SyncBody, _ request: OperatorRequest) async throws -> CommitSummary {
        var trouble: MartletError?
        do {
            try await self.plane.commands.fetch(body.source)
        } catch let error as MartletError where error.code != "NotFound" {
            trouble = error
        }
        let commit = try await self.plane.commands.sync(to: body.revision, request)
        if let trouble { throw trouble }
        try await self.checkSources(body.source)
        return commit
    }

    /// Throws which of several sources stayed back, of those that were asked for.
    private func checkSources(_ name: String?) async throws {
        let failed = try await self.plane.commands.status().sources.filter {
            $0.condition.status == .no && (name == nil || $0.name == name)
        }
        guard !failed.isEmpty else { return }
        let reasons = failed.map { "source '\($0.name ?? "")': \($0.condition.message)" }
        throw MartletError(
            "SourcesUnreadable",
            "not every source is at its newest commit; the others are in force. \(reasons.joined(separator: "; "))",
            disposition: .retryable
        )
    }

    private func post(
        _ name: String,
        on router: Router<GatewayContext>,
        _ answer: @escaping @Sendable (Request, [UInt8]) async throws -> Response
    ) {
        let path = RouterPath("/api/v1/\(name)")
        router.post(path) { request, _ in
            _ = try AdminQuery(request, knows: [])
            return try await answer(request, request.bodyBytes(upTo: AdminPlane.maxBodyBytes))
        }
        router.refuseOtherMethods(path, allowed: [.post])
    }
}
