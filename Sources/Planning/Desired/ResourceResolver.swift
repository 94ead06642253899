internal import Schema

/// Follows references from resource to resource, once for each, and remembers what it found or what is in the way.
struct ResourceResolver {
    typealias Blocker = DesiredState.Blocker

    /// A resource that can be used, with all that it needs.
    struct Resolved {
        let resource: Resource
        /// Of a model: its weights, then its adapters in order. Of a dataset: its rows.
        var artifacts: [Artifact] = []
        /// Named directly, each once, in the order of fields.
        var dependencies: [ResourceIdentity] = []
    }

    let resources: [ResourceIdentity: Resource]
    private(set) var diagnostics: [Diagnostic]
    private(set) var blocked: [ResourceIdentity: Blocker] = [:]
    private let broken: Set<ResourceIdentity>
    private let retained: Set<ResourceIdentity>
    let review: PolicyReview
    private let unavailable: UnavailableFields
    private let artifact: DesiredStateBuilder.ArtifactLookup
    let read: DesiredStateBuilder.ArtifactReader
    private var known: [ResourceIdentity: Resolved] = [:]
    private var errors: [ResourceIdentity: Diagnostic] = [:]
    private var reported: Set<SourceLocation>
    /// Rows of datasets that were read.
    var rows: [ResourceIdentity: [PromptTemplateSpec.Examples.Pair]] = [:]

    init(
        manifests: DesiredStateBuilder.Manifests,
        review: PolicyReview,
        unavailable: UnavailableFields,
        artifact: @escaping DesiredStateBuilder.ArtifactLookup,
        read: @escaping DesiredStateBuilder.ArtifactReader
    ) {
        self.resources = Dictionary(
            manifests.resources.map { ($0.identity, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        self.diagnostics = manifests.diagnostics
        self.broken = manifests.broken
        self.retained = manifests.retained
        self.review = review
        self.unavailable = unavailable
        self.artifact = artifact
        self.read = read
        let errors = manifests.diagnostics.filter { $0.severity == .error }
        self.reported = Set(errors.map(\.location))
        for error in errors {
            guard let resource = error.resource else { continue }
            self.errors[resource] = min(self.errors[resource] ?? error, error)
        }
    }

    /// The resource with what it needs, or nil when something is in the way: ``blocked`` says what.
    mutating func resolve(_ identity: ResourceIdentity) -> Resolved? {
        if let known = self.known[identity] { return known }
        if self.blocked[identity] != nil { return nil }
        guard let resource = self.resources[identity], !self.broken.contains(identity) else {
            let isBroken = self.errors[identity] != nil || self.broken.contains(identity)
            let blocker = Blocker(
                resource: identity,
                message: self.absence(of: identity),
                word: isBroken ? "ManifestInvalid" : "ResourceMissing"
            )
            return self.block(identity, blocker)
        }
        if let obstacle = Availability.obstacle(in: resource, self.unavailable) {
            return self.block(identity, Blocker(resource: identity, message: obstacle, word: "NotAvailable"))
        }
        if let blocker = self.review.blocker(of: identity) { return self.block(identity, blocker) }
        var resolved = Resolved(resource: resource)
        switch resource.spec {
        case .model(let spec):
            guard self.find(spec, for: &resolved) else { return nil }
        case .dataset(let spec):
            guard self.find(spec.source, at: "spec.source.uri", for: &resolved) else { return nil }
        case .promptTemplate, .chain:
            guard self.follow(resource.references, for: &resolved) else { return nil }
        case .endpoint:
            let served = resource.references.filter { $0.target.kind == .chain || $0.target.kind == .model }
            guard self.follow(served, for: &resolved) else { return nil }
        case .policy:
            // It is asked about the others, and needs none of them.
            break
        case .unavailable:
            // It is checked and shown; nothing depends on it in this version.
            break
        }
        self.known[identity] = resolved
        return resolved
    }

    /// Notes what is in the way of a resource, and gives nil for it.
    @discardableResult
    mutating func block(_ identity: ResourceIdentity, _ blocker: Blocker) -> Resolved? {
        self.known[identity] = nil
        self.blocked[identity] = blocker
        return nil
    }

    /// Adds an error, unless one stands at that place already: whoever read the manifests may have seen it too.
    mutating func report(_ message: String, at location: SourceLocation, of resource: ResourceIdentity) {
        guard self.reported.insert(location).inserted else { return }
        self.diagnostics.append(Diagnostic(at: location, message, resource: resource))
    }

    private func absence(of identity: ResourceIdentity) -> String {
        if let error = self.errors[identity] { return "\(error.location): \(error.message)" }
        if self.broken.contains(identity) { return "its manifest has errors" }
        if self.retained.contains(identity) { return "the file that declared it cannot be read" }
        return "there is no \(identity)"
    }

    private mutating func follow(_ references: [ResourceReference], for resolved: inout Resolved) -> Bool {
        let identity = resolved.resource.identity
        for reference in references {
            if self.resolve(reference.target) == nil {
                let isThere = self.resources[reference.target] != nil
                if !isThere, !self.broken.contains(reference.target), !self.retained.contains(reference.target) {
                    self.report(
                        "there is no \(reference.target)" + self.hint(for: reference.target),
                        at: reference.location,
                        of: identity
                    )
                }
                guard let cause = self.blocked[reference.target] else { return false }
                self.block(identity, cause)
                // What is not there is no resource to report on.
                if !isThere, !self.broken.contains(reference.target) { self.blocked[reference.target] = nil }
                return false
            }
            if !resolved.dependencies.contains(reference.target) { resolved.dependencies.append(reference.target) }
        }
        return self.checkAdapters(of: resolved.resource)
    }

    private func hint(for missing: ResourceIdentity) -> String {
        let names = self.resources.keys.filter { $0.kind == missing.kind && $0.namespace == missing.namespace }
        return NearestWord.hint(for: missing.name, among: names.map(\.name))
    }

    /// A prompt step may name an adapter; its model must have it.
    private mutating func checkAdapters(of resource: Resource) -> Bool {
        guard case .chain(let chain) = resource.spec else { return true }
        for (index, step) in chain.steps.enumerated() {
            guard case .prompt(let prompt) = step.action, let adapter = prompt.adapter,
                let model = ResourceIdentity(.model, reference: prompt.model, in: resource.identity.namespace),
                case .model(let spec)? = self.resources[model]?.spec,
                !spec.adapters.contains(where: { $0.name == adapter })
            else { continue }
            let hint = NearestWord.hint(for: adapter, among: spec.adapters.map(\.name))
            let message = "\(model) has no adapter '\(adapter)'\(hint)"
            let field = "spec.steps[\(index)].prompt.adapter"
            self.report(message, at: resource.fieldLocations[field] ?? resource.location, of: resource.identity)
            self.block(resource.identity, Blocker(resource: resource.identity, message: message))
            return false
        }
        return true
    }

    private mutating func find(_ spec: ModelSpec, for resolved: inout Resolved) -> Bool {
        guard let source = spec.source else {
            let identity = resolved.resource.identity
            self.block(identity, Blocker(resource: identity, message: "it has no source"))
            return false
        }
        guard self.find(source, at: "spec.source.uri", for: &resolved) else { return false }
        for (index, adapter) in spec.adapters.enumerated() {
            let field = "spec.adapters[\(index)].source.uri"
            guard self.find(adapter.source, at: field, for: &resolved) else { return false }
        }
        return true
    }

    private mutating func find(
        _ source: ModelSpec.Source,
        at field: String,
        for resolved: inout Resolved
    ) -> Bool {
        do {
            resolved.artifacts.append(try self.artifact(source))
            return true
        } catch {
            let resource = resolved.resource
            let message = (error as? MartletError)?.message ?? "'\(source.uri)' cannot be found: \(error)"
            self.report(message, at: resource.fieldLocations[field] ?? resource.location, of: resource.identity)
            let word = (error as? MartletError)?.code ?? "ArtifactMissing"
            self.block(resource.identity, Blocker(resource: resource.identity, message: message, word: word))
            return false
        }
    }
}
