internal import Schema

extension ResourceResolver {
    /// What each variant of an endpoint serves, the default one first; nil when the endpoint is blocked.
    mutating func serves(of endpoint: Resource, _ spec: EndpointSpec) -> [ReachedService]? {
        guard self.resolve(endpoint.identity) != nil else { return nil }
        let identity = endpoint.identity
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

    private mutating func service(
        _ variant: VariantID,
        _ serve: EndpointSpec.Serve,
        _ canonical: JSONValue?
    ) -> ReachedService {
        var service = ReachedService(variant: variant, serve: serve, canonicalServe: canonical ?? .null, parts: [])
        var open = [self.target(of: serve, in: variant.namespace)].compactMap(\.self)
        var seen = Set(open)
        while let identity = open.popLast() {
            guard let resolved = self.resolve(identity) else { continue }
            service.parts.append(
                ReachedService.Part(
                    resource: identity,
                    digest: resolved.resource.digest,
                    artifacts: resolved.artifacts.map(\.identity)
                )
            )
            open += resolved.dependencies.filter { seen.insert($0).inserted }
        }
        service.parts.sort { $0.resource < $1.resource }
        return service
    }

    private func target(of serve: EndpointSpec.Serve, in namespace: String) -> ResourceIdentity? {
        if let chain = serve.chain { return ResourceIdentity(.chain, reference: chain, in: namespace) }
        return serve.model.flatMap { ResourceIdentity(.model, reference: $0, in: namespace) }
    }

    /// Everything that a revision needs; nil, with the endpoint blocked, when a dataset's rows cannot be used.
    mutating func graph(
        of service: ReachedService,
        _ spec: EndpointSpec,
        revision: Revision,
        commit: ObjectID
    ) -> RevisionGraph? {
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
            guard let resolved = self.resolve(part.resource) else { return nil }
            switch resolved.resource.spec {
            case .chain(let chain):
                graph.chains.append(.init(identity: part.resource, digest: part.digest, spec: chain))
            case .promptTemplate(let template):
                guard let examples = self.examples(of: template, part.resource) else {
                    self.passOnBlocker(of: part.resource, to: service.variant.resource)
                    return nil
                }
                graph.templates.append(
                    .init(identity: part.resource, digest: part.digest, spec: template, examples: examples)
                )
            case .model(let model):
                guard let instance = self.instance(of: model, resolved) else { return nil }
                graph.models.append(.init(identity: part.resource, digest: part.digest, instance: instance))
            case .dataset, .endpoint, .policy, .unavailable:
                continue
            }
        }
        return graph
    }

    private mutating func passOnBlocker(of resource: ResourceIdentity, to endpoint: ResourceIdentity) {
        guard let blocker = self.blocked[resource] else { return }
        self.block(endpoint, blocker)
    }

    private func instance(of model: ModelSpec, _ resolved: Resolved) -> InstanceSpec? {
        guard let weights = resolved.artifacts.first else { return nil }
        return InstanceSpec(
            model: resolved.resource.identity,
            engine: model.engine,
            artifact: weights,
            adapters: zip(model.adapters, resolved.artifacts.dropFirst()).map { adapter, artifact in
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

    /// A template's few-shot pairs; nil, with the template blocked, when its dataset cannot be used.
    private mutating func examples(
        of template: PromptTemplateSpec,
        _ identity: ResourceIdentity
    ) -> [PromptTemplateSpec.Examples.Pair]? {
        guard let examples = template.examples else { return [] }
        guard let name = examples.dataset else { return examples.inline ?? [] }
        guard let dataset = ResourceIdentity(.dataset, reference: name, in: identity.namespace) else { return [] }
        if self.rows[dataset] == nil {
            guard let resolved = self.resolve(dataset), let artifact = resolved.artifacts.first,
                case .dataset(let spec) = resolved.resource.spec
            else {
                self.passOnBlocker(of: dataset, to: identity)
                return nil
            }
            do {
                self.rows[dataset] = try FewShotRows.read(try self.read(artifact), of: spec, path: artifact.path)
            } catch let error as FewShotRows.Malformed {
                self.report(error.message, at: error.location, of: dataset)
                let message = "\(error.location): \(error.message)"
                self.block(dataset, Blocker(resource: dataset, message: message, word: "DatasetInvalid"))
            } catch {
                let message = (error as? MartletError)?.message ?? "'\(artifact.path)' cannot be read: \(error)"
                self.report(message, at: resolved.resource.location, of: dataset)
                self.block(dataset, Blocker(resource: dataset, message: message, word: "ArtifactMissing"))
            }
        }
        guard let rows = self.rows[dataset] else {
            self.passOnBlocker(of: dataset, to: identity)
            return nil
        }
        return Array(rows.prefix(examples.limit ?? rows.count))
    }
}
