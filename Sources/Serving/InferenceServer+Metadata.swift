internal import Planning
internal import Schema
internal import Synchronization

// What endpoints say of themselves.
extension InferenceServer {
    package func metadata(
        of endpoint: EndpointName,
        revision: String?,
        for caller: Caller
    ) async throws -> ModelMetadata {
        let shares = try self.routes.shares(of: endpoint, for: caller)
        let versions = shares.map(\.runner.key.revision)
        let pinned = try revision.map { try RoutingSnapshot.pinned($0, among: shares, of: endpoint) }
        guard let runner = (pinned ?? shares.first)?.runner else { throw CallError.notServing(endpoint) }
        let served = try runner.program().servedModel
        guard let model = runner.graph.models.first(where: { $0.identity == served }) else {
            return ModelMetadata(
                revision: runner.key.revision,
                versions: versions,
                engine: "chain",
                tensors: nil,
                generates: true,
                embeddingWidth: nil
            )
        }
        let known = self.pool.description(of: model.instance.key) ?? runner.description.withLock(\.self)
        let description: ModelDescription
        if let known {
            description = known
        } else {
            let call = EndpointCall(
                endpoint: endpoint,
                caller: caller,
                requestID: "",
                body: (),
                revision: runner.key.revision.digest.hex
            )
            description = try await self.describe(model.instance.key, for: call)
        }
        runner.description.withLock { $0 = description }
        return ModelMetadata(
            revision: runner.key.revision,
            versions: versions,
            engine: model.instance.engine,
            tensors: description.tensors,
            generates: description.generates,
            embeddingWidth: description.embeddingWidth
        )
    }

    /// Has a model say what it is that nobody has asked before: like any request, this has it loaded, and wakes an
    /// endpoint that sleeps.
    private func describe(_ instance: InstanceKey, for call: EndpointCall<Void>) async throws -> ModelDescription {
        let admitted = try await self.admit(call) { _ in () }
        defer { admitted.route.runner.leave(admitted.seat.request) }
        do {
            return try await self.pool.describe(instance, until: admitted.seat.signal)
        } catch {
            throw CallError(mapping: error)
        }
    }

    package func readiness(for caller: Caller) -> [EndpointReadiness] {
        let snapshot = self.routes
        return snapshot.names.compactMap { name in
            guard let shares = try? snapshot.shares(of: name, for: caller) else { return nil }
            let (isReady, reason) = InferenceServer.readiness(of: shares)
            return EndpointReadiness(
                name: name,
                revision: shares.first?.runner.key.revision,
                isReady: isReady,
                reason: reason
            )
        }
    }

    private static func readiness(of shares: [RoutingSnapshot.Share]) -> (Bool, String) {
        if shares.isEmpty { return (false, "no revision serves yet") }
        for share in shares {
            let observed = share.runner.observation
            switch observed.state {
            case .ready: return (true, "")
            case .started, .draining, .drained, .failed: continue
            }
        }
        return (false, "no revision that gets traffic takes requests")
    }
}
