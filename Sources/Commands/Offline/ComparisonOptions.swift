internal import ArgumentParser
internal import Planning
internal import Schema

/// The two commits that `plan` and `diff` compare.
struct ComparisonOptions: ParsableArguments {
    @OptionGroup var repository: RepositoryOptions

    @Option(help: "The older side: a branch, tag or commit; without it, HEAD.")
    var base: String?

    @Option(help: "The newer side: a branch, tag or commit; without it, the work tree as it is on disk.")
    var head: String?

    func validate() throws {
        guard self.repository.sources.isGiven else { return }
        guard self.base == nil, self.head == nil else {
            throw ValidationError(
                "--sources says which commits count: leave out --base and --head, and name what changes with --work-tree"
            )
        }
        guard !self.repository.sources.workTree.isEmpty else {
            throw ValidationError("name what changes: --work-tree NAME=FOLDER, with the name of a source")
        }
    }

    /// Reads both sides. A repository without a commit has an empty base.
    ///
    /// - Parameters:
    ///   - isFull: Whether all manifests are wanted, not just those that a change reaches.
    ///   - stateDirectory: Where the clones of remote sources are looked for; nil: the default place.
    func load(inFull isFull: Bool = false, stateDirectory: String? = nil) throws -> Comparison {
        if let sources = try self.repository.sources.open(stateDirectory, needsCommits: true) {
            return try self.load(sources)
        }
        var repository = try self.repository.open(isCached: !isFull)
        let baseRef = self.base ?? "HEAD"
        let old: CommitSummary?
        do {
            old = try repository.resolve(baseRef)
        } catch let error as MartletError where error.code == "RepositoryEmpty" {
            old = nil
        }
        let new = try repository.resolve(self.head)
        let nothing = DesiredState(commit: CommitSummary(id: "", subject: "nothing", author: "", time: 0))
        let (base, head, rest) =
            try old.map { try repository.compare($0, new) } ?? (nothing, try repository.load(new), CheckedRest())
        return Comparison(
            base: base,
            head: head,
            rest: rest,
            baseName: old.map { OfflineRepository.name($0, ref: baseRef) } ?? "nothing",
            headName: OfflineRepository.name(new, ref: self.head),
            signature: try repository.signatureReport(of: head, after: old == nil ? nil : base)
        )
    }

    /// Reads several sources, as their refs say and with the work trees that stand for some of them.
    private func load(_ sources: OfflineSources) throws -> Comparison {
        var repository = try self.repository.open(sources)
        let (base, head, rest) = try repository.compare(sources.followed, sources.proposed)
        return Comparison(
            base: base,
            head: head,
            rest: rest,
            baseName: sources.name(of: sources.followed),
            headName: sources.name(of: sources.proposed)
        )
    }
}

/// Two desired states side by side.
struct Comparison {
    var base: DesiredState
    var head: DesiredState
    /// What is known of the manifests of both that were not read; they are the same and reach nothing that changed.
    var rest: CheckedRest
    /// `HEAD (1a2b3c4d5e)`, `the work tree`, `nothing`.
    var baseName: String
    var headName: String
    /// Whether the newer side would be let in, by who signed it; nil when no signature is demanded.
    var signature: SignatureReport?

    /// Says on standard error what is wrong with the newer side, and ends the verb with exit code 2 if something is.
    func requireSound() throws {
        let errors = self.head.diagnostics.filter { $0.severity == .error }
        let environment = CommandEnvironment.current
        let isRefused = self.signature?.isAccepted == false
        if let signature = self.signature, isRefused { environment.printError("error: \(signature.message)") }
        guard !errors.isEmpty else {
            if isRefused { throw ExitCode(2) }
            return
        }
        for error in errors { environment.printError(PlainText.line("\(error)")) }
        environment.printError("error: \(self.headName) has \(Counted.words(errors.count, "error"))")
        throw ExitCode(2)
    }
}
