package import Schema

/// Everything that one revision needs to answer, resolved: kept with the facts, so that going back needs no git.
package struct RevisionGraph: Sendable, Hashable, Codable {
    package struct Template: Sendable, Hashable, Codable {
        package var identity: ResourceIdentity
        package var digest: Digest
        package var spec: PromptTemplateSpec
        /// Few-shot pairs with datasets read in, already cut to `limit`.
        package var examples: [PromptTemplateSpec.Examples.Pair]
        /// The file that the pairs were read from, for people; nil for those of the manifest itself.
        package var examplesFile: String?

        package init(
            identity: ResourceIdentity,
            digest: Digest,
            spec: PromptTemplateSpec,
            examples: [PromptTemplateSpec.Examples.Pair],
            examplesFile: String? = nil
        ) {
            self.identity = identity
            self.digest = digest
            self.spec = spec
            self.examples = examples
            self.examplesFile = examplesFile
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

    package var variant: VariantID {
        get { self.contents.variant }
        _modify { yield &self.mutableContents.variant }
    }
    package var revision: Revision {
        get { self.contents.revision }
        _modify { yield &self.mutableContents.revision }
    }
    /// The commit that the graph was read from.
    package var commit: ObjectID {
        get { self.contents.commit }
        _modify { yield &self.mutableContents.commit }
    }
    /// The source that declares the endpoint; nil where there was one source only.
    package var source: String? {
        get { self.contents.source }
        _modify { yield &self.mutableContents.source }
    }
    package var serve: EndpointSpec.Serve {
        get { self.contents.serve }
        _modify { yield &self.mutableContents.serve }
    }
    package var chat: EndpointSpec.Chat? {
        get { self.contents.chat }
        _modify { yield &self.mutableContents.chat }
    }
    /// Sorted by identity, as are those below.
    package var chains: [Chain] {
        get { self.contents.chains }
        _modify { yield &self.mutableContents.chains }
    }
    package var templates: [Template] {
        get { self.contents.templates }
        _modify { yield &self.mutableContents.templates }
    }
    package var models: [Model] {
        get { self.contents.models }
        _modify { yield &self.mutableContents.models }
    }
    /// Of the chains, sorted by identity and field.
    package var programs: [Program] {
        get { self.contents.programs ?? [] }
        set { self.mutableContents.programs = newValue.isEmpty ? nil : newValue }
    }

    package var knowledge: [KnowledgeBase] {
        get { self.contents.knowledge ?? [] }
        set { self.mutableContents.knowledge = newValue.isEmpty ? nil : newValue }
    }
    package var tables: [FeatureTable] {
        get { self.contents.tables ?? [] }
        set { self.mutableContents.tables = newValue.isEmpty ? nil : newValue }
    }

    package init(
        variant: VariantID,
        revision: Revision,
        commit: ObjectID,
        source: String? = nil,
        serve: EndpointSpec.Serve,
        chat: EndpointSpec.Chat?,
        chains: [Chain],
        templates: [Template],
        models: [Model],
        programs: [Program] = [],
        knowledge: [KnowledgeBase] = [],
        tables: [FeatureTable] = []
    ) {
        self.storage = Storage(
            Contents(
                variant: variant,
                revision: revision,
                commit: commit,
                source: source,
                serve: serve,
                chat: chat,
                chains: chains,
                templates: templates,
                models: models,
                programs: programs.isEmpty ? nil : programs,
                knowledge: knowledge.isEmpty ? nil : knowledge,
                tables: tables.isEmpty ? nil : tables
            )
        )
    }

    /// Whether something has to be done before the revision takes any request of its users: warm-up requests, which lazy
    /// models answer whenever they are loaded, or opening what it looks things up in.
    package var hasWarmUps: Bool {
        self.hasLookups || self.models.contains { !$0.instance.warmUp.isEmpty && !$0.instance.isLazy }
    }

    /// Whether it looks anything up.
    package var hasLookups: Bool { self.contents.knowledge != nil || self.contents.tables != nil }

    /// What a graph holds. It is passed around by the thousand and hardly ever changed, so a copy of a graph shares it.
    private struct Contents: Sendable, Equatable, Codable {
        var variant: VariantID
        var revision: Revision
        var commit: ObjectID
        var source: String?
        var serve: EndpointSpec.Serve
        var chat: EndpointSpec.Chat?
        var chains: [Chain]
        var templates: [Template]
        var models: [Model]
        /// Nil where there are none, as in every graph that was written before there were any.
        var programs: [Program]?
        // Nil where there are none, as in facts that were written before there could be any.
        var knowledge: [KnowledgeBase]?
        var tables: [FeatureTable]?
    }

    private final class Storage: @unchecked Sendable {  // It is changed only while a single graph holds it.
        var contents: Contents

        init(_ contents: Contents) {
            self.contents = contents
        }
    }

    private var storage: Storage

    private var contents: Contents {
        _read { yield self.storage.contents }
    }

    private var mutableContents: Contents {
        get { self.storage.contents }
        _modify {
            if !isKnownUniquelyReferenced(&self.storage) { self.storage = Storage(self.storage.contents) }
            yield &self.storage.contents
        }
    }

    package static func == (lhs: RevisionGraph, rhs: RevisionGraph) -> Bool {
        lhs.storage === rhs.storage || lhs.contents == rhs.contents
    }

    /// Over what names the graph: all of it would cost a lot, and tell hardly any more graphs apart.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.contents.variant)
        hasher.combine(self.contents.revision)
    }

    package init(from decoder: any Decoder) throws {
        self.storage = Storage(try Contents(from: decoder))
    }

    package func encode(to encoder: any Encoder) throws {
        try self.contents.encode(to: encoder)
    }
}
