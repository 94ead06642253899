internal import Foundation
internal import ManifestYAML
internal import Planning
internal import Schema

/// Reads desired states from commits and from the work tree, in the order in which they are asked for.
struct OfflineRepository {
    private let root: String
    private let source: any SourceRepository
    private let hasWorkTree: Bool
    /// Why there are no commits; nil when there are.
    private let problem: (any Error)?
    /// Says that the folder is but a part of a repository; nil where it is none.
    let part: MartletError?
    private let policies: PolicySources
    /// Nil: nobody asks who signed.
    private let demand: SignatureGuard.Demand?
    private var loader: DesiredStateLoader
    private let narrow: NarrowReading
    /// What earlier runs found out; nil where nothing is kept.
    private let cache: ManifestCache?

    init(
        root: String,
        path: String,
        namespace: String,
        policies: PolicySources = PolicySources(),
        demand: SignatureGuard.Demand = SignatureGuard.Demand(),
        isCached: Bool = false
    ) throws {
        let environment = CommandEnvironment.current
        self.root = root
        (self.policies, self.demand) = (policies, demand)
        let opened = Result { try environment.openRepository(root) }
        switch opened {
        case .success: (self.part, self.problem) = (nil, nil)
        case .failure(let error):
            self.part = OfflineRepository.partOfAnother(root)
            self.problem = self.part ?? error
        }
        let isBare = self.problem == nil && OfflineRepository.isBare(root)
        self.hasWorkTree = !isBare
        self.source = isBare ? try opened.get() : try WorkTreeSource(root: root, repository: try? opened.get())
        let engines = OfflineRepository.knownEngines
        (self.loader, self.narrow) = OfflineRepository.readers(of: self.source, path, namespace, engines, policies)
        let folder = isCached ? ManifestCache.folder(environment: environment.environment) : nil
        self.cache = folder.map { folder in
            let options: JSONValue = [
                "version": .string(environment.version),
                "build": .string(environment.build),
                "path": .string(path),
                "namespace": .string(namespace),
                "engines": .array(engines.sorted().map { .string($0) }),
                "policies": .array(policies.files.map { [.string("\($0.identity)"), $0.canonicalSpec] }),
                "policyNamespaces": .array(policies.wideNamespaces.sorted().map { .string($0) }),
            ]
            return ManifestCache(folder: folder, options: options, root: URL(filePath: root).path)
        }
    }

    /// Several repositories as one.
    init(_ sources: OfflineSources, policies: PolicySources) {
        (self.root, self.source, self.hasWorkTree) = ("", sources.repository, false)
        (self.part, self.problem) = (nil, nil)
        (self.policies, self.demand, self.cache) = (policies, nil, nil)
        (self.loader, self.narrow) = OfflineRepository.readers(
            of: self.source,
            sources.path,
            sources.namespace,
            OfflineRepository.knownEngines,
            policies,
            scopes: sources.scopes
        )
    }

    /// Who reads everything, and who reads what has to be read.
    private static func readers(
        of source: any SourceRepository,
        _ path: String,
        _ namespace: String,
        _ engines: Set<String>,
        _ policies: PolicySources,
        scopes: [String: NamespaceScope] = [:]
    ) -> (DesiredStateLoader, NarrowReading) {
        let makeLoader = { (source: any SourceRepository) in
            DesiredStateLoader(
                repository: source,
                subpath: path,
                namespace: namespace,
                knownEngines: engines,
                policies: policies,
                scopes: scopes
            )
        }
        let narrow = NarrowReading(
            source: source,
            subpath: path,
            manifests: ManifestReader(defaultNamespace: namespace, knownEngines: engines),
            makeLoader: makeLoader
        )
        return (makeLoader(source), narrow)
    }

    /// Whether a git repository has no work tree, by what is in its folder; other folders may hold the same.
    static func isBare(_ folder: String) -> Bool {
        let holds = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
        return holds("objects") && holds("HEAD") && !holds(".git")
    }

    /// Engines whose names raise no warning.
    private static var knownEngines: Set<String> {
        ManifestReader.defaultEngines.union(CommandEnvironment.current.engines.reports().map(\.name))
    }

    /// Says that a folder is inside of a repository, whose other folders may hold what its manifests name.
    ///
    /// - Parameter place: Where the folder is to be named instead.
    static func partOfAnother(_ root: String, place: String = "with --path") -> MartletError? {
        let folder = URL(filePath: root).standardizedFileURL.path
        guard let whole = RepositoryOptions.enclosing(folder), whole != folder else { return nil }
        return MartletError(
            "RepositoryNotFound",
            "'\(root)' is no repository but a folder of '\(whole)', where what it names may be: name that repository, "
                + "and the folder \(place)"
        )
    }

    /// Whether a commit would be let in after another one, by who signed it; nil when no signature is demanded.
    func signatureReport(of head: DesiredState, after base: DesiredState?) throws -> SignatureReport? {
        let hasRules = [head, base].compactMap(\.self).contains { desired in
            desired.policyReview.policies.policies.contains { !$0.spec.signatures.isEmpty }
        }
        guard let demand = self.demand, hasRules || !demand.paths.isEmpty else { return nil }
        let signatures = SignatureGuard(
            repository: self.source,
            verifiers: ["": try CommandEnvironment.current.openVerifier(self.root)],
            demand: demand,
            policies: self.policies
        )
        let isCommitted = head.commit.id != WorkTreeSource.id
        return try SignatureReport.make(of: head, after: base, by: signatures, isCommitted: isCommitted)
    }

    /// Resolves a branch, tag or commit; nil means the work tree.
    func resolve(_ ref: String?) throws -> CommitSummary {
        if let ref {
            if let problem = self.problem { throw problem }
            return try self.source.resolve(ref)
        }
        guard self.hasWorkTree else {
            throw MartletError(
                "WorkTreeMissing",
                "'\(self.root)' is a bare repository without a work tree: name a commit, with --ref to validate, else with --head"
            )
        }
        return WorkTreeSource.summary
    }

    /// What a commit asks for. Resources of files that can no longer be read are retained from the one loaded before.
    mutating func load(_ commit: CommitSummary) throws -> DesiredState {
        try self.loader.load(commit)
    }

    /// Leaves what was read to the end of the process, which is near: to take ten thousand manifests apart takes as
    /// long as a tenth of reading them.
    private func leave() {
        final class Kept {
            let loader: DesiredStateLoader
            init(_ loader: DesiredStateLoader) { self.loader = loader }
        }
        _ = Unmanaged.passRetained(Kept(self.loader))
    }

    /// What a commit asks for, as far as it has to be read, and what is known of the rest.
    mutating func check(_ commit: CommitSummary) throws -> (desired: DesiredState, rest: CheckedRest) {
        defer { self.leave() }
        // What engines say of options is asked each time: engines come and go.
        if let cache = self.cache, let (states, rest) = try self.readNarrowly([commit], cache, and: [.model]),
            let desired = states.first
        {
            try self.requireManifests(desired, rest)
            return (desired, rest)
        }
        let desired = try self.load(commit)
        try self.requireManifests(desired, CheckedRest())
        _ = try self.keep(desired)
        return (desired, CheckedRest())
    }

    /// Throws `NothingToCheck` for a folder without manifests that is no repository: it is hardly the one that was meant.
    private func requireManifests(_ desired: DesiredState, _ rest: CheckedRest) throws {
        guard let problem = self.problem, desired.resources.isEmpty, desired.diagnostics.isEmpty, rest.resources == 0
        else { return }
        throw MartletError("NothingToCheck", "there is no manifest in '\(self.root)'", cause: problem)
    }

    /// What two commits ask for, as far as it has to be read to compare them, and what is known of the rest.
    mutating func compare(
        _ base: CommitSummary,
        _ head: CommitSummary
    ) throws -> (base: DesiredState, head: DesiredState, rest: CheckedRest) {
        defer { self.leave() }
        if let cache = self.cache, let (states, rest) = try self.readNarrowly([base, head], cache) {
            return (states[0], states[1], rest)
        }
        let old = try self.loadBase(base)
        if let (checked, files) = try self.keep(old),
            case .done(let states, let rest) = try self.narrow.read([base, head], files, beside: checked)
        {
            return (states[0], states[1], rest)
        }
        return (old, try self.load(head), CheckedRest())
    }

    /// A base that does not have the folder yet asks for nothing; in the head it must be there.
    private mutating func loadBase(_ commit: CommitSummary) throws -> DesiredState {
        do {
            return try self.load(commit)
        } catch let error as MartletError where error.code == "PathNotFound" {
            return DesiredState(commit: commit)
        }
    }

    /// Tries to do with what was kept; nil where everything has to be read.
    private func readNarrowly(
        _ commits: [CommitSummary],
        _ cache: ManifestCache,
        and kinds: [Kind] = []
    ) throws -> ([DesiredState], CheckedRest)? {
        var files: [TreeEntry]?
        for checked in cache.candidates {
            // A folder that is not there is for those to report who read everything.
            guard let listed = try files ?? self.narrow.relevantFiles(of: commits[0]) else { return nil }
            files = listed
            switch try self.narrow.read(commits, listed, beside: checked, and: kinds) {
            case .done(let states, let rest): return (states, rest)
            case .tooFar: continue
            case .everythingCounts: return nil
            }
        }
        return nil
    }

    /// Keeps what was read in full, if nothing is wrong with it.
    private func keep(_ desired: DesiredState) throws -> (CheckedManifests, files: [TreeEntry])? {
        guard let cache = self.cache, desired.isPlain, !self.loader.hasUnreadableFiles else { return nil }
        guard let files = try self.narrow.relevantFiles(of: desired.commit) else { return nil }
        let inclusions = self.loader.inclusions
        // What is brought in from elsewhere is in no list.
        guard inclusions.allSatisfy({ self.narrow.covers($0.folders) }) else { return nil }
        let checked = try CheckedManifests(of: desired, files: files, inclusions: inclusions) {
            try self.source.entry(at: $0, in: desired.commit.id)
        }
        guard let checked else { return nil }
        cache.write(checked)
        return (checked, files)
    }

    /// How a commit is named to people.
    static func name(_ commit: CommitSummary, ref: String?) -> String {
        guard let ref else { return "the work tree" }
        return commit.id.hasPrefix(ref.lowercased()) ? String(commit.id.prefix(10)) : "\(ref) (\(commit.id.prefix(10)))"
    }
}
