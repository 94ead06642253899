package import Planning
internal import Schema

/// A small, made-up repository for planner tests: models with versions of their files, prompts with versions of their
/// words, and endpoints that use them.
package struct PlanWorld: Sendable {
    /// One endpoint's manifest, as far as the planner cares.
    package struct Service: Sendable, Hashable {
        /// Model names; with their file versions they make the instances.
        package var models: [String]
        package var promptVersion = 1
        package var replicas = 1
        /// At most so many; nil: the same as ``replicas``, which are as many as that.
        package var mostReplicas: Int?
        package var swap = false
        package var isBlocked = false
        package var tenants: [String] = []

        package init(models: [String]) {
            self.models = models
        }

        /// Lets the number of replicas follow from how much there is to do.
        package mutating func scale(from least: Int, to most: Int) {
            (self.replicas, self.mostReplicas) = (least, most)
        }

        mutating func add(_ model: String) {
            self.models = Set(self.models + [model]).sorted()
        }
    }

    /// The version of each model's file.
    package var models: [String: Int]
    /// How much memory a model of this version takes; nil: the manifest does not say.
    package var declaredMemory: [String: Int64] = [:]
    /// What models ask to be computed on.
    package var accelerators: [String: String] = [:]
    /// Models without warm-up requests; all others have one.
    package var withoutWarmUp: Set<String> = []
    /// Models that requests have loaded.
    package var lazy: Set<String> = []
    package var services: [String: Service]
    package var commitNumber = 1

    package init(models: [String: Int], services: [String: Service]) {
        self.models = models
        self.services = services
    }

    package static func variant(_ name: String, tenant: String? = nil) -> VariantID {
        VariantID(namespace: "default", endpoint: name, tenant: tenant)
    }

    package func instance(_ model: String) -> InstanceSpec {
        let version = self.models[model] ?? 1
        return InstanceSpec(
            model: ResourceIdentity(.model, namespace: "default", name: model),
            engine: "replay",
            artifact: Artifact(
                location: .repository(path: "models/\(model).jsonl", blob: "\(model)-\(version)"),
                size: 100
            ),
            accelerator: self.accelerators[model],
            warmUp: self.withoutWarmUp.contains(model) ? [] : [ModelSpec.WarmUp(prompt: "Hello.", maxTokens: 4)],
            declaredMemory: self.declaredMemory[model],
            isLazy: self.lazy.contains(model)
        )
    }

    package func graph(_ name: String, tenant: String? = nil) -> RevisionGraph? {
        guard let service = self.services[name] else { return nil }
        let prompt = "prompt \(service.promptVersion)" + (tenant.map { " for \($0)" } ?? "")
        let instances = service.models.map { self.instance($0) }
        let identity = ResourceIdentity(.promptTemplate, namespace: "default", name: "\(name)-prompt")
        var template = PlanWorld.template
        template.messages[0].content = prompt
        let words =
            [prompt, name]
            + instances.map { "\($0.key.digest) \($0.declaredMemory ?? 0) \($0.warmUp.count) \($0.isLazy)" }
        return RevisionGraph(
            variant: PlanWorld.variant(name, tenant: tenant),
            revision: Revision(Digest(of: words.joined(separator: "|").utf8)),
            commit: "commit-\(self.commitNumber)",
            serve: PlanWorld.endpoint.serve,
            chat: nil,
            chains: [],
            templates: [.init(identity: identity, digest: Digest(of: prompt.utf8), spec: template, examples: [])],
            models: instances.map { .init(identity: $0.model, digest: $0.key.digest, instance: $0) }
        )
    }

    package func settings(_ name: String) -> EndpointSettings? {
        guard let service = self.services[name] else { return nil }
        var spec = PlanWorld.endpoint
        spec.replicas.min = service.replicas
        spec.replicas.max = max(service.mostReplicas ?? 1, service.replicas, 1)
        spec.rollout.swap = service.swap
        return EndpointSettings(
            of: spec,
            revision: Revision(Digest(of: "\(name) \(spec.replicas) \(service.swap)".utf8))
        )
    }

    /// The desired state of the repository as it is now.
    package func desired() -> DesiredState {
        var state = DesiredState(
            commit: CommitSummary(id: "commit-\(self.commitNumber)", subject: "Change", author: "A <a@b>", time: 0)
        )
        for (name, service) in self.services {
            let endpoint = PlanWorld.variant(name).resource
            state.settings[endpoint] = self.settings(name)
            if service.isBlocked {
                let culprit = ResourceIdentity(.chain, namespace: "default", name: "broken")
                state.blocked[endpoint] = .init(resource: culprit, message: "its manifest has errors")
            } else {
                for tenant in [nil] + service.tenants.map(Optional.some) {
                    state.variants[PlanWorld.variant(name, tenant: tenant)] = self.graph(name, tenant: tenant)
                }
            }
        }
        return state
    }

    private static let endpoint: EndpointSpec = {
        guard
            case .endpoint(let spec)? = try? ResourceSpec(
                kind: .endpoint,
                value: Kind.endpoint.shape.complete(["serve": ["model": "m"], "access": ["anonymous": true]])
            )
        else { preconditionFailure("the smallest endpoint must decode") }
        return spec
    }()

    private static let template: PromptTemplateSpec = {
        let value: JSONValue = ["messages": [["role": "user", "content": "hello"]]]
        guard
            case .promptTemplate(let spec)? = try? ResourceSpec(
                kind: .promptTemplate,
                value: Kind.promptTemplate.shape.complete(value)
            )
        else { preconditionFailure("the smallest template must decode") }
        return spec
    }()
}
