internal import Schema

extension ResourceResolver {
    /// What each variant of a resolved endpoint serves, the default one first; nil when the endpoint is blocked.
    func services(of endpoint: Resource, _ spec: EndpointSpec) -> [ReachedService]? {
        let identity = endpoint.identity
        guard let resolution = self.resolution(of: identity), resolution.blocker == nil else { return nil }
        var services = [
            self.service(
                VariantID(namespace: identity.namespace, endpoint: identity.name),
                spec.serve,
                endpoint.canonicalSpec["serve"]
            )
        ]
        let canonical = endpoint.canonicalSpec["tenants"]?.array ?? []
        for (index, tenant) in spec.tenants.enumerated() {
            let id = VariantID(namespace: identity.namespace, endpoint: identity.name, tenant: tenant.tenant)
            services.append(self.service(id, tenant.serve, index < canonical.count ? canonical[index]["serve"] : nil))
        }
        return services
    }

    private func service(
        _ variant: VariantID,
        _ serve: EndpointSpec.Serve,
        _ canonical: JSONValue?
    ) -> ReachedService {
        var service = ReachedService(variant: variant, serve: serve, canonicalServe: canonical ?? .null, parts: [])
        var open = [self.target(of: serve, in: variant.namespace)].compactMap(\.self)
        var seen = Set(open)
        while let identity = open.popLast() {
            guard let resource = self.resources[identity], let resolution = self.resolution(of: identity) else {
                continue
            }
            service.parts.append(
                ReachedService.Part(
                    resource: identity,
                    digest: resource.digest,
                    artifacts: resolution.artifacts.map(\.identity)
                )
            )
            open += resolution.dependencies.filter { seen.insert($0).inserted }
        }
        service.parts.sort { $0.resource < $1.resource }
        return service
    }

    private func target(of serve: EndpointSpec.Serve, in namespace: String) -> ResourceIdentity? {
        if let chain = serve.chain { return ResourceIdentity(.chain, reference: chain, in: namespace) }
        return serve.model.flatMap { ResourceIdentity(.model, reference: $0, in: namespace) }
    }

    /// Everything that a revision needs.
    func graph(
        of service: ReachedService,
        _ spec: EndpointSpec,
        revision: Revision,
        commit: ObjectID
    ) -> RevisionGraph {
        var graph = RevisionGraph(
            variant: service.variant,
            revision: revision,
            commit: commit,
            serve: service.serve,
            chat: spec.chat,
            chains: [],
            templates: [],
            models: []
        )
        for part in service.parts {
            guard let resource = self.resources[part.resource], let resolution = self.resolution(of: part.resource)
            else { continue }
            switch resource.spec {
            case .chain(let chain):
                graph.chains.append(.init(identity: part.resource, digest: part.digest, spec: chain))
            case .promptTemplate(let template):
                graph.templates.append(
                    .init(
                        identity: part.resource,
                        digest: part.digest,
                        spec: template,
                        examples: resolution.examples
                    )
                )
            case .model(let model):
                guard let instance = self.instance(of: model, part.resource, resolution.artifacts) else { continue }
                graph.models.append(.init(identity: part.resource, digest: part.digest, instance: instance))
            case .dataset, .endpoint, .policy, .overlay, .unavailable:
                continue
            }
        }
        return graph
    }

    private func instance(of model: ModelSpec, _ identity: ResourceIdentity, _ artifacts: [Artifact]) -> InstanceSpec? {
        guard let weights = artifacts.first else { return nil }
        return InstanceSpec(
            model: identity,
            engine: model.engine,
            artifact: weights,
            adapters: zip(model.adapters, artifacts.dropFirst()).map { adapter, artifact in
                InstanceSpec.Adapter(name: adapter.name, artifact: artifact, scale: adapter.scale)
            },
            options: model.options,
            threads: model.resources.threads,
            warmUp: model.warmUp,
            // Nothing loads a model on its first request in this version, so there is one copy at least.
            copies: max(model.replicas, 1),
            declaredMemory: model.resources.memory?.bytes
        )
    }
}
