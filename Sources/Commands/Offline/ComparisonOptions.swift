internal import ArgumentParser
internal import Planning
internal import Schema

/// The two commits that `plan` and `diff` compare.
struct ComparisonOptions: ParsableArguments {
    @OptionGroup var repository: RepositoryOptions

    @Option(help: "The older side: a branch, tag or commit.")
    var base = "HEAD"

    @Option(help: "The newer side: a branch, tag or commit; without it, the work tree as it is on disk.")
    var head: String?

    /// Reads both sides. A repository without a commit has an empty base.
    func load() throws -> Comparison {
        var repository = try self.repository.open()
        let base: DesiredState
        let baseName: String
        do {
            let commit = try repository.resolve(self.base)
            base = try self.loadBase(commit, from: &repository)
            baseName = OfflineRepository.name(commit, ref: self.base)
        } catch let error as MartletError where error.code == "RepositoryEmpty" {
            base = DesiredState(commit: CommitSummary(id: "", subject: "nothing", author: "", time: 0))
            baseName = "nothing"
        }
        let commit = try repository.resolve(self.head)
        let head = try repository.load(commit)
        return Comparison(
            base: base,
            head: head,
            baseName: baseName,
            headName: OfflineRepository.name(commit, ref: self.head),
            signature: try repository.signatureReport(of: head, after: base.commit.id.isEmpty ? nil : base)
        )
    }

    /// A base that does not have the folder yet asks for nothing; in the head it must be there.
    private func loadBase(_ commit: CommitSummary, from repository: inout OfflineRepository) throws -> DesiredState {
        do {
            return try repository.load(commit)
        } catch let error as MartletError where error.code == "PathNotFound" {
            return DesiredState(commit: commit)
        }
    }
}

/// Two desired states side by side.
struct Comparison {
    var base: DesiredState
    var head: DesiredState
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
