package import Schema

/// Finds what the states say about one endpoint, one resource or one instance, without looking at everything.
///
/// A value that is kept up to date: ``update(_:desired:observed:)`` costs what has changed, not what there is.
package struct StateIndex: Sendable {
    /// What the graphs of one variant name.
    fileprivate struct Names: Sendable {
        /// The graphs that this was read from.
        var sources = Sources()
        /// Of the desired graph, or the promoted one where none is desired: everything beside the endpoint.
        var reached: [ResourceIdentity] = []
        /// Models of the promoted graph that the desired one does not reach.
        var formerModels: [ResourceIdentity] = []
        /// Of every graph that is known.
        var instances: [InstanceKey] = []
    }

    fileprivate struct Sources: Sendable, Equatable {
        var desired: RevisionGraph?
        var promoted: Revision?
        var known: [RevisionGraph] = []
    }

    private var tenants: [ResourceIdentity: Set<String>] = [:]
    private var names: [VariantID: Names] = [:]
    /// The revisions of a variant that have a runner, in order.
    private(set) var runners: [VariantID: [Revision]] = [:]
    private(set) var holds: [VariantID: [Hold]] = [:]
    private var heldVariants: [Hold] = []
    /// The variants whose desired revision, or else promoted one, reaches a resource.
    package private(set) var users: [ResourceIdentity: Set<VariantID>] = [:]
    /// The variants whose promoted revision still has a model that is not reached otherwise.
    private var formerUsers: [ResourceIdentity: Set<VariantID>] = [:]
    /// The variants that have an instance in any of their graphs.
    package private(set) var instanceUsers: [InstanceKey: Set<VariantID>] = [:]
    /// The variants that have not promoted what the commit asks for.
    private(set) var unpromoted: Set<VariantID> = []
    /// Resources that other variants reach than before, since this was last emptied.
    package var touched: Set<ResourceIdentity> = []
    /// Whether an instance has lost its last user since this was last set to false.
    package var hasOrphans = false

    package init() {}

    /// Looks at everything once.
    package init(desired: DesiredState, observed: ObservedState) {
        for key in observed.runtime.runners.keys { self.runners[key.variant, default: []].append(key.revision) }
        for id in self.runners.keys { self.runners[id]?.sort() }
        self.takeHolds(observed.facts.holds)
        var variants = Set(desired.variants.keys)
        variants.formUnion(observed.facts.variants.keys)
        variants.formUnion(observed.runtime.traffic.keys)
        variants.formUnion(self.runners.keys)
        variants.formUnion(self.holds.keys)
        for id in variants { self.update(id, desired, observed) }
    }

    /// Takes over what has changed.
    package mutating func update(_ changes: StateChanges, desired: DesiredState, observed: ObservedState) {
        guard !changes.isEverything else {
            self = StateIndex(desired: desired, observed: observed)
            self.hasOrphans = true
            return
        }
        var variants = changes.variants
        for key in changes.runners {
            var revisions = (self.runners[key.variant] ?? []).filter { $0 != key.revision }
            if observed.runtime.runners[key] != nil { revisions = (revisions + [key.revision]).sorted() }
            self.runners[key.variant] = revisions.isEmpty ? nil : revisions
            variants.insert(key.variant)
        }
        if observed.facts.holds != self.heldVariants {
            variants.formUnion(self.holds.keys)
            self.takeHolds(observed.facts.holds)
            variants.formUnion(self.holds.keys)
        }
        for id in variants { self.update(id, desired, observed) }
    }

    private mutating func takeHolds(_ holds: [Hold]) {
        self.heldVariants = holds
        self.holds = Dictionary(grouping: holds, by: \.variant)
    }

    private mutating func update(_ id: VariantID, _ desired: DesiredState, _ observed: ObservedState) {
        let (graph, facts) = (desired.variants[id], observed.facts.variants[id])
        if let tenant = id.tenant {
            let isKnown =
                graph != nil || facts != nil || observed.runtime.traffic[id] != nil || self.runners[id] != nil
                || self.holds[id] != nil
            if isKnown {
                self.tenants[id.resource, default: []].insert(tenant)
            } else {
                self.tenants[id.resource]?.remove(tenant)
                if self.tenants[id.resource]?.isEmpty == true { self.tenants[id.resource] = nil }
            }
        }
        if let graph, facts?.promoted != graph.revision {
            self.unpromoted.insert(id)
        } else {
            self.unpromoted.remove(id)
        }
        let sources = Sources(desired: graph, promoted: facts?.promoted, known: facts?.graphs ?? [])
        if sources != self.names[id]?.sources ?? Sources() { self.replaceNames(of: id, with: Names(sources)) }
    }

    private mutating func replaceNames(of id: VariantID, with new: Names) {
        let old = self.names[id] ?? Names()
        if old.reached != new.reached || old.formerModels != new.formerModels {
            for part in old.reached + new.reached + old.formerModels + new.formerModels { self.touched.insert(part) }
        }
        Self.move(id, from: old.reached, to: new.reached, in: &self.users)
        Self.move(id, from: old.formerModels, to: new.formerModels, in: &self.formerUsers)
        Self.move(id, from: old.instances, to: new.instances, in: &self.instanceUsers)
        if old.instances.contains(where: { self.instanceUsers[$0] == nil }) { self.hasOrphans = true }
        self.names[id] = new.reached.isEmpty && new.instances.isEmpty ? nil : new
    }

    private static func move<Key>(
        _ id: VariantID,
        from old: [Key],
        to new: [Key],
        in users: inout [Key: Set<VariantID>]
    ) {
        guard old != new else { return }
        for key in old where !new.contains(key) {
            users[key]?.remove(id)
            if users[key]?.isEmpty == true { users[key] = nil }
        }
        for key in new where !old.contains(key) { users[key, default: []].insert(id) }
    }
}

extension StateIndex {
    /// The variants of an endpoint that may be wanted, run, or be written down; the default one always is named.
    package func variants(of endpoint: ResourceIdentity) -> [VariantID] {
        let main = VariantID(defaultOf: endpoint)
        guard let tenants = self.tenants[endpoint] else { return [main] }
        return [main]
            + tenants.sorted().map { VariantID(namespace: main.namespace, endpoint: main.endpoint, tenant: $0) }
    }

    /// Every resource beside its endpoint that a variant's desired revision reaches, or else its promoted one, and the
    /// models that only the promoted one has.
    package func named(by variant: VariantID) -> [ResourceIdentity] {
        self.names[variant].map { $0.reached + $0.formerModels } ?? []
    }

    /// Every endpoint that something must be looked at again for, when these changes have come in.
    package func endpoints(touchedBy changes: StateChanges) -> Set<ResourceIdentity> {
        var endpoints = changes.endpoints
        endpoints.formUnion(changes.variants.map(\.resource))
        endpoints.formUnion(changes.runners.map(\.variant.resource))
        for instance in changes.instances {
            endpoints.formUnion((self.instanceUsers[instance] ?? []).map(\.resource))
        }
        return endpoints
    }

    /// The instance that a model is loaded as: what a desired revision says, else the first variant's promoted one.
    func instance(of model: ResourceIdentity, _ desired: DesiredState, _ facts: Facts) -> InstanceKey? {
        let users = self.users[model] ?? []
        func key(_ graph: RevisionGraph?) -> InstanceKey? {
            graph?.models.first { $0.identity == model }?.instance.key
        }
        for user in users {
            if let key = key(desired.variants[user]) { return key }
        }
        for user in users.union(self.formerUsers[model] ?? []).sorted() {
            let promoted = facts.variants[user].flatMap { facts in facts.promoted.flatMap { facts.graph(of: $0) } }
            if let key = key(promoted) { return key }
        }
        return nil
    }

    /// The models that are loaded as an instance, by any graph.
    package func models(of instance: InstanceKey, _ desired: DesiredState, _ facts: Facts) -> Set<ResourceIdentity> {
        var models: Set<ResourceIdentity> = []
        for user in self.instanceUsers[instance] ?? [] {
            let graphs = (facts.variants[user]?.graphs ?? []) + [desired.variants[user]].compactMap(\.self)
            for model in graphs.flatMap(\.models) where model.instance.key == instance { models.insert(model.identity) }
        }
        return models
    }

    /// Every artifact that the commit or a written graph needs: going back never asks the network.
    package func artifacts(_ desired: DesiredState, _ facts: Facts) -> Set<Artifact> {
        var artifacts: Set<Artifact> = []
        for (instance, users) in self.instanceUsers {
            // An instance is named by what its artifacts hold, so that any one graph knows them.
            guard let user = users.first else { continue }
            let graphs = [desired.variants[user]].compactMap(\.self) + (facts.variants[user]?.graphs ?? [])
            guard let spec = graphs.lazy.flatMap(\.models).map(\.instance).first(where: { $0.key == instance }) else {
                continue
            }
            artifacts.formUnion(spec.artifacts)
        }
        return artifacts
    }
}

extension StateIndex.Names {
    fileprivate init(_ sources: StateIndex.Sources) {
        let (desired, known) = (sources.desired, sources.known)
        let promoted = sources.promoted.flatMap { revision in known.first { $0.revision == revision } }
        self.sources = sources
        self.reached = (desired ?? promoted)?.reached ?? []
        if let promoted, let desired, promoted.revision != desired.revision {
            self.formerModels = promoted.models.map(\.identity).filter { !self.reached.contains($0) }
        }
        for graph in known + [desired].compactMap(\.self) {
            for model in graph.models where !self.instances.contains(model.instance.key) {
                self.instances.append(model.instance.key)
            }
        }
    }
}
