internal import ManifestYAML
internal import Planning
internal import Schema

/// All manifests of one state of a repository in which nothing is wrong, without their content: who declares what, and
/// who names whom. It tells what a change reaches, so that the rest need not be read again.
struct CheckedManifests: Sendable, Hashable {
    /// A file that may hold manifests, or that says which files do not.
    struct File: Sendable, Hashable {
        var path: String
        /// By its full id: another content has another one.
        var object: ObjectID
    }

    struct Node: Sendable, Hashable {
        /// `Chain/team/desk`.
        var name: String
        /// A position in ``files``.
        var file: Int
        /// Positions in ``nodes`` of what it names, each once.
        var references: [Int]
    }

    /// A file of the repository that a resource needs beside its manifest.
    struct Artifact: Sendable, Hashable {
        /// A position in ``nodes``.
        var node: Int
        var path: String
        var object: ObjectID
    }

    /// A model that some endpoint has loaded, or that its requests do.
    struct Instance: Sendable, Hashable {
        /// A position in ``nodes``.
        var node: Int
        var model: ResourceIdentity
        /// Models with the same key are loaded once.
        var key: InstanceKey
        /// Of memory, as far as it is known without loading.
        var bytes: Int64
        /// Whether the manifest says so.
        var isDeclared: Bool
        var isLazy: Bool
    }

    /// An overlay, of what it takes to expand it.
    struct Overlay: Sendable, Hashable {
        /// A position in ``nodes``.
        var node: Int
        /// Whose files it brings in, directly or through further overlays.
        var folders: [String]
        /// Positions in ``files`` of what its patches are for, and of ``nested``: it cannot be expanded without.
        var anchors: [Int]
        /// Positions in ``files`` of those in which further overlays stand.
        var nested: [Int]
    }

    /// Sorted by the bytes of their paths.
    var files: [File] = []
    /// Sorted by the bytes of their names.
    var nodes: [Node] = []
    var artifacts: [Artifact] = []
    var instances: [Instance] = []
    /// What brings other files in.
    var overlays: [Overlay] = []
    /// Positions in ``nodes`` of what is read each time: what is found outside of the repository, and what policies say
    /// something of.
    var unsettled: [Int] = []
    /// Of all policies, which say something of resources that do not name them.
    var policies = Digest(of: [])
    /// What `validate` warns of.
    var warnings: [Diagnostic] = []
    /// What `plan` says is not applied.
    var unavailable: [Diagnostic] = []

    /// The position of a file, or nil.
    func file(at path: String) -> Int? {
        Self.search(path, self.files.count) { self.files[$0].path }
    }

    /// The position of a resource by its name, or nil.
    func node(_ name: String) -> Int? {
        Self.search(name, self.nodes.count) { self.nodes[$0].name }
    }

    /// Whether one text comes before another by their bytes: characters may be spelt in several ways.
    static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func search(_ text: String, _ count: Int, _ at: (Int) -> String) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(at(middle), text) { low = middle + 1 } else { high = middle }
        }
        return low < count && at(low).utf8.elementsEqual(text.utf8) ? low : nil
    }
}

// MARK: Making

extension CheckedManifests {
    /// Takes down a state that was read in full; nil where something in it is wrong, or reaches further than names do.
    ///
    /// - Parameters:
    ///   - desired: What all manifests ask for.
    ///   - files: Every file that may hold manifests, sorted by the bytes of their paths.
    ///   - inclusions: What its overlays bring in.
    ///   - entry: What stands at a path of the repository, links not followed.
    init?(
        of desired: DesiredState,
        files: [TreeEntry],
        inclusions: [OverlayInclusion] = [],
        entry: (_ path: String) throws -> TreeEntry?
    ) rethrows {
        guard desired.isPlain, files.allSatisfy({ Self.isWhole($0.object) }) else { return nil }
        let places = Dictionary(zip(files.map(\.path), files.indices), uniquingKeysWith: { first, _ in first })
        // Paths that differ in nothing but how their characters are spelt are one to the reader.
        guard places.count == files.count else { return nil }
        self.files = files.map { File(path: $0.path, object: $0.object) }
        let resources = desired.resources.values.map { ($0.identity.description, $0) }
            .sorted { Self.precedes($0.0, $1.0) }.map(\.1)
        let positions = Dictionary(uniqueKeysWithValues: zip(resources.map(\.identity), resources.indices))
        self.nodes.reserveCapacity(resources.count)
        for (number, resource) in resources.enumerated() {
            guard let file = places[resource.location.path] else { return nil }
            var references: [Int] = []
            for reference in resource.references {
                guard let target = positions[reference.target] else { return nil }
                if !references.contains(target) { references.append(target) }
            }
            self.nodes.append(Node(name: resource.identity.description, file: file, references: references))
            guard try self.noteArtifacts(of: resource, number, entry) else { return nil }
        }
        guard self.note(inclusions, desired, places, positions) else { return nil }
        self.unsettled = Set(self.unsettled).union(desired.judged.compactMap { positions[$0] }).sorted()
        self.policies = desired.policies
        self.noteInstances(of: desired, positions)
        self.unavailable = desired.unavailable.sorted()
        let advice = EndpointAdvice.diagnostics(of: desired)
        self.warnings = Set(desired.diagnostics + desired.unavailable + advice).sorted()
    }

    /// False where a link leads to an artifact: then more than one file decides what is found.
    private mutating func noteArtifacts(
        of resource: Resource,
        _ node: Int,
        _ entry: (String) throws -> TreeEntry?
    ) rethrows -> Bool {
        switch resource.spec {
        case .chain, .knowledgeBase:
            // A program or documents may be a folder: whoever names one is looked at each time.
            if !resource.files.isEmpty, self.unsettled.last != node { self.unsettled.append(node) }
            return true
        case .model, .dataset, .featureTable, .promptTemplate, .endpoint, .policy, .overlay, .unavailable: break
        }
        for named in resource.spec.sources {
            guard case .repository(let path)? = named.source.location else {
                if self.unsettled.last != node { self.unsettled.append(node) }
                continue
            }
            guard let found = try entry(path), found.kind == .file, Self.isWhole(found.object) else { return false }
            self.artifacts.append(Artifact(node: node, path: path, object: found.object))
        }
        return true
    }

    private mutating func noteInstances(of desired: DesiredState, _ positions: [ResourceIdentity: Int]) {
        var seen: Set<ResourceIdentity> = []
        for instance in desired.variants.values.lazy.flatMap(\.models).map(\.instance) {
            guard seen.insert(instance.model).inserted, let node = positions[instance.model] else { continue }
            self.instances.append(
                Instance(
                    node: node,
                    model: instance.model,
                    key: instance.key,
                    bytes: instance.knownBytes,
                    isDeclared: instance.declaredMemory != nil,
                    isLazy: instance.isLazy
                )
            )
        }
        self.instances.sort { $0.node < $1.node }
    }

    /// Whether an id is made of all bytes: files of a work tree that are too large have another one.
    private static func isWhole(_ object: ObjectID) -> Bool {
        object.utf8.count >= 40 && object.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

extension DesiredState {
    /// Whether nothing is wrong but what policies find, and each resource depends on nothing but those that it names,
    /// the policies, and the overlays that it came through.
    var isPlain: Bool {
        self.retained.isEmpty
            && !self.diagnostics.contains { $0.severity == .error && !self.policyReview.isFinding($0) }
            && self.blocked.allSatisfy { identity, blocker in
                blocker.word == PolicyReview.violation
                    || identity.kind != .endpoint && blocker.resource == identity && blocker.word == "NotAvailable"
            }
    }

    /// Stands for what all policies of the repository say, wherever they are written and whatever they come through.
    var policies: Digest {
        let policies = self.resources.values.filter { $0.identity.kind == .policy }.sorted { $0.identity < $1.identity }
        return Digest(canonical: .array(policies.map { [.string("\($0.identity)"), .string($0.digest.hex)] }))
    }

    /// The resources that policies have something to say of, and those that are held back for it.
    fileprivate var judged: Set<ResourceIdentity> {
        Set(self.policyReview.findings.keys).union(
            self.blocked.filter { $0.value.word == PolicyReview.violation }.keys
        )
    }
}
