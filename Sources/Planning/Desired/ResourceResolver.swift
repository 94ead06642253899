internal import Schema

/// Follows references from resource to resource, once for each, and remembers what it found or what is in the way.
struct ResourceResolver: Sendable {
    typealias Blocker = DesiredState.Blocker
    typealias World = DesiredStateBuilder.World

    /// What came of one resource.
    struct Resolution: Sendable {
        /// Nil when all that the resource needs is there.
        var blocker: Blocker?
        /// Of a model: its weights, then its adapters in order. Of a dataset or a table: its rows. Of a chain: its
        /// programs in the order of fields. Of a knowledge base: its documents. Up to the first one missing.
        var sightings: [ArtifactSighting] = []
        /// Named directly, each once, in the order of fields.
        var dependencies: [ResourceIdentity] = []
        /// Of a template: its few-shot pairs with datasets read in, cut to `limit`.
        var examples: [PromptTemplateSpec.Examples.Pair] = []
        var diagnostics: [Diagnostic] = []

        /// Of a feature table: when its rows were written, where that counts.
        var writtenAt: Timestamp?

        var artifacts: [Artifact] { self.sightings.flatMap(\.artifacts) }
        /// What revisions tell its bytes by.
        var identities: [String] { self.sightings.compactMap(\.identity) }
    }

    private(set) var resources: [ResourceIdentity: Resource] = [:]
    private(set) var retained: Set<ResourceIdentity> = []
    private(set) var blocked: [ResourceIdentity: Blocker] = [:]
    var review = PolicyReview()
    /// The variants that each endpoint has now.
    var variants: [ResourceIdentity: [VariantID]] = [:]
    private let unavailable: UnavailableFields
    /// Why a resource that is declared is not among ``resources``.
    private var absent: [ResourceIdentity: ManifestFact] = [:]
    private var known: [ResourceIdentity: Resolution] = [:]
    /// Who names a resource that may or may not be there.
    private var referrers: [ResourceIdentity: Set<ResourceIdentity>] = [:]
    /// What templates name newly, or name no longer: whether a dataset's rows are looked at is up to them.
    private var relinked: Set<ResourceIdentity> = []
    private var sightings = ArtifactUsers()
    /// Rows of datasets that were read during this update.
    private var rows: [ResourceIdentity: (path: String, table: DatasetRows.Table)] = [:]
    /// Models of services that were met during this update, by their names.
    var models: [[ResourceIdentity]: [RevisionGraph.Model]] = [:]

    init(unavailable: UnavailableFields) {
        self.unavailable = unavailable
    }

    /// Takes in what manifests say now, and gives the resources of which they said something else before.
    mutating func learn(_ facts: [ResourceIdentity: ManifestFact]) -> Set<ResourceIdentity> {
        var changed: Set<ResourceIdentity> = []
        for (identity, fact) in facts {
            let old = self.resources[identity]
            if old != fact.resource {
                changed.insert(identity)
                for reference in old?.references ?? [] { self.unlink(identity, from: reference.target) }
                for reference in fact.resource?.references ?? [] { self.link(identity, to: reference.target) }
                self.resources[identity] = fact.resource
            }
            if self.retained.contains(identity) != fact.isRetained {
                changed.insert(identity)
                if fact.isRetained { self.retained.insert(identity) } else { self.retained.remove(identity) }
            }
            let isAbsent = fact.resource == nil && (fact.isBroken || fact.isRetained)
            self.absent[identity] = isAbsent ? fact : nil
        }
        return changed
    }

    private mutating func link(_ referrer: ResourceIdentity, to target: ResourceIdentity) {
        self.referrers[target, default: []].insert(referrer)
        if referrer.kind == .promptTemplate { self.relinked.insert(target) }
    }

    private mutating func unlink(_ referrer: ResourceIdentity, from target: ResourceIdentity) {
        self.referrers[target]?.remove(referrer)
        if self.referrers[target]?.isEmpty == true { self.referrers[target] = nil }
        if referrer.kind == .promptTemplate { self.relinked.insert(target) }
    }

    /// What manifests say about policies.
    var policyFacts: [ResourceIdentity: ManifestFact] {
        let sound = self.resources.filter { $0.key.kind == .policy }.mapValues { ManifestFact(resource: $0) }
        return sound.merging(self.absent.filter { $0.key.kind == .policy }) { sound, _ in sound }
    }

    /// Every resource that something is known of.
    var everything: Set<ResourceIdentity> {
        Set(self.resources.keys).union(self.absent.keys).union(self.known.keys)
    }

    /// The resources of which an artifact is not what, or not where, it was.
    func misplaced(_ files: ManifestChanges.Files, looksAgain: Bool, in world: World) -> Set<ResourceIdentity> {
        self.sightings.users(of: files, looksAgain: looksAgain).filter { identity in
            guard let resource = self.resources[identity], let resolution = self.known[identity] else { return true }
            return self.look(resource, in: world) != resolution.sightings
        }
    }

    /// Some resources and everything that depends on them.
    func reaching(_ touched: Set<ResourceIdentity>) -> Set<ResourceIdentity> {
        var reached = touched.union(self.relinked)
        var open = Array(reached)
        while let identity = open.popLast() {
            for referrer in self.referrers[identity] ?? [] where reached.insert(referrer).inserted {
                open.append(referrer)
            }
        }
        return reached
    }

    /// Forgets what came of some resources, and gives it.
    mutating func forget(_ identities: Set<ResourceIdentity>) -> [ResourceIdentity: Resolution] {
        var before: [ResourceIdentity: Resolution] = [:]
        before.reserveCapacity(identities.count)
        for identity in identities {
            guard let resolution = self.known.removeValue(forKey: identity) else { continue }
            before[identity] = resolution
            self.sightings.forget(identity, resolution.sightings)
        }
        return before
    }

    /// Whether something else came of a resource than before.
    func hasMoved(_ identity: ResourceIdentity, since before: Resolution?) -> Bool {
        let now = self.known[identity]
        return now?.blocker != before?.blocker || now?.sightings != before?.sightings
            || now?.examples != before?.examples || now?.writtenAt != before?.writtenAt
    }

    /// What is wrong with some resources beyond their manifests.
    func diagnostics(of identities: Set<ResourceIdentity>) -> [Diagnostic] {
        identities.flatMap { self.known[$0]?.diagnostics ?? [] }
    }

    /// Ends an update.
    mutating func finish() {
        self.rows = [:]
        self.models = [:]
        self.relinked = []
    }

    /// What came of a resource that was resolved.
    func resolution(of identity: ResourceIdentity) -> Resolution? { self.known[identity] }

    /// Finds what a resource needs, or what is in the way.
    @discardableResult
    mutating func resolve(_ identity: ResourceIdentity, in world: World) -> Resolution {
        if let known = self.known[identity] { return known }
        guard let resource = self.resources[identity] else { return self.resolveAbsent(identity) }
        var resolution = Resolution()
        if let obstacle = Availability.obstacle(in: resource, self.unavailable) {
            resolution.blocker = Blocker(resource: identity, message: obstacle, word: "NotAvailable")
        } else if let blocker = self.review.blocker(of: identity) {
            resolution.blocker = blocker
        } else {
            self.resolve(resource, in: world, &resolution)
        }
        self.known[identity] = resolution
        self.blocked[identity] = resolution.blocker
        self.sightings.remember(identity, resolution.sightings)
        return resolution
    }

    /// What is declared but cannot be used is remembered; what is not there is nothing to report on.
    private mutating func resolveAbsent(_ identity: ResourceIdentity) -> Resolution {
        let fact = self.absent[identity]
        let isBroken = fact.map { $0.isBroken || $0.error != nil } ?? false
        let message: String
        if let error = fact?.error {
            message = "\(error.location): \(error.message)"
        } else if isBroken {
            message = "its manifest has errors"
        } else {
            message = fact == nil ? "there is no \(identity)" : "the file that declared it cannot be read"
        }
        let word = isBroken ? "ManifestInvalid" : "ResourceMissing"
        let resolution = Resolution(blocker: Blocker(resource: identity, message: message, word: word))
        if fact?.isBroken == true {
            self.known[identity] = resolution
            self.blocked[identity] = resolution.blocker
        } else {
            self.blocked[identity] = nil
        }
        return resolution
    }

    private mutating func resolve(_ resource: Resource, in world: World, _ resolution: inout Resolution) {
        switch resource.spec {
        case .model(let spec):
            self.look(resource, in: world, &resolution)
            if spec.source == nil, UpstreamSet(spec, of: resource.identity) == nil {
                resolution.blocker = Blocker(resource: resource.identity, message: "it has no source and no upstream")
            }
        case .dataset(let spec):
            self.look(resource, in: world, &resolution)
            self.readRows(of: resource, spec, in: world, &resolution)
        case .promptTemplate(let spec):
            self.follow(resource.references, of: resource, in: world, &resolution)
            self.takeExamples(of: spec, resource.identity, &resolution)
        case .chain(let spec):
            self.follow(resource.references, of: resource, in: world, &resolution)
            self.checkAdapters(of: spec, resource, &resolution)
            self.lookForPrograms(of: spec, resource, in: world, &resolution)
        case .endpoint:
            let served = resource.references.filter { $0.target.kind == .chain || $0.target.kind == .model }
            self.follow(served, of: resource, in: world, &resolution)
        case .knowledgeBase, .featureTable:
            self.look(resource, in: world, &resolution)
            self.follow(resource.references, of: resource, in: world, &resolution)
            self.judgeRows(of: resource, in: world, &resolution)
        case .policy, .overlay:
            // One is asked about the others, the other was done with when they were read.
            break
        case .unavailable:
            // It is checked and shown; nothing depends on it in this version.
            break
        }
    }

    private mutating func follow(
        _ references: [ResourceReference],
        of resource: Resource,
        in world: World,
        _ resolution: inout Resolution
    ) {
        guard resolution.blocker == nil else { return }
        for reference in references {
            if let blocker = self.resolve(reference.target, in: world).blocker {
                resolution.blocker = blocker
                guard self.resources[reference.target] == nil, self.absent[reference.target] == nil else { return }
                let message = "there is no \(reference.target)\(self.hint(for: reference.target))"
                resolution.diagnostics = [
                    Diagnostic(at: reference.location, message, resource: resource.identity)
                ]
                return
            }
            if !resolution.dependencies.contains(reference.target) { resolution.dependencies.append(reference.target) }
        }
    }

    private func hint(for missing: ResourceIdentity) -> String {
        let names = self.resources.keys.filter { $0.kind == missing.kind && $0.namespace == missing.namespace }
        return NearestWord.hint(for: missing.name, among: names.map(\.name))
    }

    /// A prompt step may name an adapter; its model must have it.
    private func checkAdapters(of chain: ChainSpec, _ resource: Resource, _ resolution: inout Resolution) {
        guard resolution.blocker == nil else { return }
        for (index, step) in chain.steps.enumerated() {
            guard case .prompt(let prompt) = step.action, let adapter = prompt.adapter,
                let model = ResourceIdentity(.model, reference: prompt.model, in: resource.identity.namespace),
                case .model(let spec)? = self.resources[model]?.spec,
                !spec.adapters.contains(where: { $0.name == adapter })
            else { continue }
            let hint = NearestWord.hint(for: adapter, among: spec.adapters.map(\.name))
            let message = "\(model) has no adapter '\(adapter)'\(hint)"
            let location = resource.fieldLocations["spec.steps[\(index)].prompt.adapter"] ?? resource.location
            resolution.blocker = Blocker(resource: resource.identity, message: message)
            resolution.diagnostics = [Diagnostic(at: location, message, resource: resource.identity)]
            return
        }
    }
}

// MARK: Artifacts

extension ResourceResolver {
    /// What stands where a resource says that its artifacts are, up to the first one that is missing.
    private func look(_ resource: Resource, in world: World) -> [ArtifactSighting] {
        if case .chain(let spec) = resource.spec {
            return spec.programs.map { _, program in
                ArtifactSighting(at: program.path) { try world.files(program.path, resource) }
            }
        }
        // Without its bytes nothing is available of a resource: no other reason is needed, nor looked for.
        var sightings: [ArtifactSighting] = []
        for named in resource.spec.sources {
            sightings.append(
                ArtifactSighting(of: named.source) {
                    guard let documents = named.documents, case .repository(let path)? = named.source.location else {
                        return .found(try world.artifact(named.source, resource))
                    }
                    return .files(try world.documents(documents, path, resource))
                }
            )
            if sightings.last?.isMissing ?? true { break }
        }
        return sightings
    }

    private func look(_ resource: Resource, in world: World, _ resolution: inout Resolution) {
        resolution.sightings = self.look(resource, in: world)
        guard case .missing(let message, let word)? = resolution.sightings.last else { return }
        let field = resource.spec.sources[resolution.sightings.count - 1].field
        let location = resource.fieldLocations["\(field).uri"] ?? resource.location
        resolution.blocker = Blocker(resource: resource.identity, message: message, word: word)
        resolution.diagnostics = [Diagnostic(at: location, message, resource: resource.identity)]
    }

    /// Finds the files of a chain's programs, unless something is in the chain's way already.
    private func lookForPrograms(
        of spec: ChainSpec,
        _ resource: Resource,
        in world: World,
        _ resolution: inout Resolution
    ) {
        guard resolution.blocker == nil else { return }
        resolution.sightings = self.look(resource, in: world)
        for (place, sighting) in zip(spec.programs, resolution.sightings) {
            let problem: (message: String, word: String)?
            switch sighting {
            case .missing(let message, let word): problem = (message, word)
            case .files(let files):
                problem = RevisionGraph.Program.problem(with: files, command: place.program.command).map {
                    ($0, "ProgramInvalid")
                }
            case .found: problem = nil
            }
            guard let problem else { continue }
            let location = resource.fieldLocations["\(place.field.field("path"))"] ?? resource.location
            resolution.blocker = Blocker(resource: resource.identity, message: problem.message, word: problem.word)
            resolution.diagnostics = [Diagnostic(at: location, problem.message, resource: resource.identity)]
            return
        }
    }

    /// Reads a dataset's rows where a template takes its examples from them.
    private mutating func readRows(
        of resource: Resource,
        _ spec: DatasetSpec,
        in world: World,
        _ resolution: inout Resolution
    ) {
        let isForExamples = self.referrers[resource.identity]?.contains { $0.kind == .promptTemplate } ?? false
        guard isForExamples, resolution.blocker == nil, let artifact = resolution.artifacts.first else { return }
        let identity = resource.identity
        do {
            let bytes = try world.read(artifact, resource)
            self.rows[identity] = (artifact.path, try DatasetRows.read(bytes, of: spec, path: artifact.path))
        } catch let error as DatasetRows.Malformed {
            resolution.block(identity, error)
        } catch {
            let message = (error as? MartletError)?.message ?? "'\(artifact.path)' cannot be read: \(error)"
            resolution.blocker = Blocker(resource: identity, message: message, word: "ArtifactMissing")
            resolution.diagnostics = [Diagnostic(at: resource.location, message, resource: identity)]
        }
    }

    private func takeExamples(
        of spec: PromptTemplateSpec,
        _ template: ResourceIdentity,
        _ resolution: inout Resolution
    ) {
        guard resolution.blocker == nil, let examples = spec.examples else { return }
        guard let name = examples.dataset else {
            resolution.examples = examples.inline ?? []
            return
        }
        guard let dataset = ResourceIdentity(.dataset, reference: name, in: template.namespace),
            let (path, table) = self.rows[dataset]
        else { return }
        do {
            resolution.examples = try FewShotRows.pairs(of: table, examples, path: path)
        } catch {
            resolution.block(dataset, error)
        }
    }
}

extension ResourceResolver.Resolution {
    /// Takes a bad row down as what is in the way.
    fileprivate mutating func block(_ identity: ResourceIdentity, _ error: DatasetRows.Malformed) {
        let message = "\(error.location): \(error.message)"
        self.blocker = .init(resource: identity, message: message, word: "DatasetInvalid")
        self.diagnostics = [Diagnostic(at: error.location, error.message, resource: identity)]
    }
}
