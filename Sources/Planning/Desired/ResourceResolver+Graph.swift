internal import Schema

extension ResourceResolver {
    /// What each variant of a resolved endpoint serves, the default one first; nil when the endpoint is blocked.
    func services(of endpoint: Resource, _ spec: EndpointSpec) -> [ReachedService]? {
        let identity = endpoint.identity
        guard let resolution = self.resolution(of: identity), resolution.blocker == nil else { return nil }
        var services = [
            self.service(VariantID(defaultOf: identity), spec.serve, endpoint.canonicalSpec["serve"])
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
                    artifacts: resolution.identities
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
    mutating func graph(
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
            models: self.models(of: service)
        )
        for part in service.parts {
            guard let resource = self.resources[part.resource], let resolution = self.resolution(of: part.resource)
            else { continue }
            switch resource.spec {
            case .chain(let chain):
                graph.chains.append(.init(identity: part.resource, digest: part.digest, spec: chain))
                graph.programs += self.programs(of: chain, part.resource, resolution)
            case .promptTemplate(let template):
                graph.templates.append(
                    .init(
                        identity: part.resource,
                        digest: part.digest,
                        spec: template,
                        examples: resolution.examples,
                        examplesFile: self.examplesFile(of: template, part.resource)
                    )
                )
            case .knowledgeBase(let spec):
                graph.knowledge += [self.knowledge(spec, of: part)].compactMap(\.self)
            case .featureTable(let spec):
                graph.tables += [self.table(spec, of: part)].compactMap(\.self)
            case .model, .dataset, .endpoint, .policy, .overlay, .unavailable:
                continue
            }
        }
        return graph
    }

    private func programs(
        of chain: ChainSpec,
        _ identity: ResourceIdentity,
        _ resolution: Resolution
    ) -> [RevisionGraph.Program] {
        zip(chain.programs, resolution.sightings).compactMap { place, sighting in
            guard let files = sighting.files else { return nil }
            return RevisionGraph.Program(
                identity: identity,
                field: "\(place.field)",
                files: files,
                command: place.program.command,
                memory: place.program.memory,
                cpu: place.program.cpu,
                timeout: place.program.timeout
            )
        }
    }

    private func examplesFile(of template: PromptTemplateSpec, _ identity: ResourceIdentity) -> String? {
        template.examples?.dataset.flatMap { ResourceIdentity(.dataset, reference: $0, in: identity.namespace) }
            .flatMap { self.resolution(of: $0)?.artifacts.first?.path }
    }

    /// The models of a service: of thousands of services most have the same few, which are made once in an update.
    private mutating func models(of service: ReachedService) -> [RevisionGraph.Model] {
        let parts = service.parts.filter { $0.resource.kind == .model }
        let names = parts.map(\.resource)
        if let known = self.models[names] { return known }
        let models = parts.compactMap { part -> RevisionGraph.Model? in
            guard case .model(let model)? = self.resources[part.resource]?.spec,
                let instance = self.instance(
                    of: model,
                    part.resource,
                    self.resolution(of: part.resource)?.artifacts ?? []
                )
            else { return nil }
            return RevisionGraph.Model(identity: part.resource, digest: part.digest, instance: instance)
        }
        self.models[names] = models
        return models
    }

    func instance(of model: ModelSpec, _ identity: ResourceIdentity, _ artifacts: [Artifact]) -> InstanceSpec? {
        let upstreams = UpstreamSet(model, of: identity)
        guard artifacts.first != nil || upstreams != nil else { return nil }
        return InstanceSpec(
            model: identity,
            engine: model.engine,
            artifact: artifacts.first,
            upstreams: upstreams,
            adapters: zip(model.adapters, artifacts.dropFirst()).map { adapter, artifact in
                InstanceSpec.Adapter(name: adapter.name, artifact: artifact, scale: adapter.scale)
            },
            options: model.options,
            threads: model.resources.threads,
            accelerator: model.resources.accelerator,
            warmUp: model.warmUp,
            copies: max(model.replicas, 1),
            // The weights of a remote model are in nobody's memory here.
            declaredMemory: upstreams == nil ? model.resources.memory?.bytes : 0,
            isLazy: upstreams == nil && model.load == .lazy
        )
    }
}
