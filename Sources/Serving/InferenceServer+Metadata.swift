internal import Planning
internal import Schema

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
        let description: ModelDescription
        do {
            description = try await self.pool.describe(model.instance.key)
        } catch {
            throw CallError(mapping: error)
        }
        return ModelMetadata(
            revision: runner.key.revision,
            versions: versions,
            engine: model.instance.engine,
            tensors: description.tensors,
            generates: description.generates,
            embeddingWidth: description.embeddingWidth
        )
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
