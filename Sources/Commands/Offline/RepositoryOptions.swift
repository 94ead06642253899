internal import ArgumentParser
internal import Foundation
internal import ManifestYAML
internal import Planning
internal import Schema

/// Which manifests an offline verb reads.
struct RepositoryOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The root of the repository; without it, the one around the current folder.",
            valueName: "repository"
        )
    )
    var root: String?

    @Option(help: "Only manifests below this folder of the repository.")
    var path = ""

    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var policies: PolicyOptions

    /// Opens the repository with its work tree.
    func open() throws -> OfflineRepository {
        let root =
            self.root ?? RepositoryOptions.enclosing(FileManager.default.currentDirectoryPath) ?? "."
        return try OfflineRepository(
            root: root,
            path: self.path,
            namespace: self.namespace.namespace,
            policies: try self.policies.sources(namespace: self.namespace.namespace),
            demand: try self.policies.demand()
        )
    }

    /// The nearest folder, this one or one above, that a git repository belongs to.
    private static func enclosing(_ folder: String) -> String? {
        var parts = RelativePath.names(of: folder)
        while true {
            let root = "/" + parts.joined(separator: "/")
            if FileManager.default.fileExists(atPath: root + "/.git") { return root }
            guard parts.popLast() != nil else { return nil }
        }
    }
}

/// Reads desired states from commits and from the work tree, in the order in which they are asked for.
struct OfflineRepository {
    private let root: String
    private let source: any SourceRepository
    private let hasWorkTree: Bool
    /// Why there are no commits; nil when there are.
    private let problem: (any Error)?
    private let policies: PolicySources
    private let demand: SignatureGuard.Demand
    private var loader: DesiredStateLoader

    init(
        root: String,
        path: String,
        namespace: String,
        policies: PolicySources = PolicySources(),
        demand: SignatureGuard.Demand = SignatureGuard.Demand()
    ) throws {
        let environment = CommandEnvironment.current
        self.root = root
        (self.policies, self.demand) = (policies, demand)
        let opened = Result { try environment.openRepository(root) }
        switch opened {
        case .success: self.problem = nil
        case .failure(let error): self.problem = error
        }
        let isBare =
            FileManager.default.fileExists(atPath: root + "/objects") && self.problem == nil
            && !FileManager.default.fileExists(atPath: root + "/.git")
        self.hasWorkTree = !isBare
        self.source = isBare ? try opened.get() : try WorkTreeSource(root: root, repository: try? opened.get())
        self.loader = DesiredStateLoader(
            repository: self.source,
            subpath: path,
            namespace: namespace,
            knownEngines: ManifestReader.defaultEngines.union(environment.engines.reports().map(\.name)),
            policies: policies
        )
    }

    /// Whether a commit would be let in after another one, by who signed it; nil when no signature is demanded.
    func signatureReport(of head: DesiredState, after base: DesiredState?) throws -> SignatureReport? {
        let hasRules = [head, base].compactMap(\.self).contains { desired in
            desired.policyReview.policies.policies.contains { !$0.spec.signatures.isEmpty }
        }
        guard hasRules || !self.demand.paths.isEmpty else { return nil }
        let signatures = SignatureGuard(
            repository: self.source,
            verifiers: ["": try CommandEnvironment.current.openVerifier(self.root)],
            demand: self.demand,
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
                "'\(self.root)' is a bare repository without a work tree; name a commit"
            )
        }
        return WorkTreeSource.summary
    }

    /// What a commit asks for. Resources of files that can no longer be read are retained from the one loaded before.
    mutating func load(_ commit: CommitSummary) throws -> DesiredState {
        try self.loader.load(commit)
    }

    /// How a commit is named to people.
    static func name(_ commit: CommitSummary, ref: String?) -> String {
        guard let ref else { return "the work tree" }
        return commit.id.hasPrefix(ref.lowercased()) ? String(commit.id.prefix(10)) : "\(ref) (\(commit.id.prefix(10)))"
    }
}
