package import Schema

/// Everything that one revision needs to answer, resolved: kept with the facts, so that going back needs no git.
package struct RevisionGraph: Sendable, Hashable, Codable {
    package struct Template: Sendable, Hashable, Codable {
        package var identity: ResourceIdentity
        package var digest: Digest
        package var spec: PromptTemplateSpec
        /// Few-shot pairs with datasets read in, already cut to `limit`.
        package var examples: [PromptTemplateSpec.Examples.Pair]

        package init(
            identity: ResourceIdentity,
            digest: Digest,
            spec: PromptTemplateSpec,
            examples: [PromptTemplateSpec.Examples.Pair]
        ) {
            self.identity = identity
            self.digest = digest
            self.spec = spec
            self.examples = examples
        }
    }

    package struct Chain: Sendable, Hashable, Codable {
        package var identity: ResourceIdentity
        package var digest: Digest
        package var spec: ChainSpec

        package init(identity: ResourceIdentity, digest: Digest, spec: ChainSpec) {
            self.identity = identity
            self.digest = digest
            self.spec = spec
        }
    }

    package struct Model: Sendable, Hashable, Codable {
        package var identity: ResourceIdentity
        package var digest: Digest
        package var instance: InstanceSpec

        package init(identity: ResourceIdentity, digest: Digest, instance: InstanceSpec) {
            self.identity = identity
            self.digest = digest
            self.instance = instance
        }
    }

    package var variant: VariantID
    package var revision: Revision
    /// The commit that the graph was read from.
    package var commit: ObjectID
    /// The source that declares the endpoint; nil where there was one source only.
    package var source: String?
    package var serve: EndpointSpec.Serve
    package var chat: EndpointSpec.Chat?
    /// Sorted by identity, as are the two below.
    package var chains: [Chain]
    package var templates: [Template]
    package var models: [Model]

    package init(
        variant: VariantID,
        revision: Revision,
        commit: ObjectID,
        source: String? = nil,
        serve: EndpointSpec.Serve,
        chat: EndpointSpec.Chat?,
        chains: [Chain],
        templates: [Template],
        models: [Model]
    ) {
        self.variant = variant
        self.revision = revision
        self.commit = commit
        self.source = source
        self.serve = serve
        self.chat = chat
        self.chains = chains
        self.templates = templates
        self.models = models
    }
}

/// The part of an endpoint that is applied at once, never rolled out or back.
package struct EndpointSettings: Sendable, Hashable, Codable {
    package var replicas: EndpointSpec.Replicas
    package var queue: EndpointSpec.Queue
    package var batching: EndpointSpec.Batching?
    package var rollout: EndpointSpec.Rollout
    package var access: EndpointSpec.Access?
    package var limits: EndpointSpec.Limits
    package var log: JSONValue?
    /// Shown as `settingsRevision`.
    package var revision: Revision

    package init(of spec: EndpointSpec, revision: Revision) {
        self.replicas = spec.replicas
        self.queue = spec.queue
        self.batching = spec.batching
        self.rollout = spec.rollout
        self.access = spec.access
        self.limits = spec.limits
        self.log = spec.log
        self.revision = revision
    }
}
