internal import Schema

/// Stands in front of the reading of commits: lets a commit pass only when those who may have signed it.
package struct SignatureGuard: Sendable {
    /// What whoever runs the controller demands of every commit.
    package struct Demand: Sendable, Hashable {
        /// Keys for the policies' rules, too, where these name no file.
        package var keys: SigningKeys
        /// Patterns of the paths that nobody else may change, beside what policies name; none: only what these name.
        package var paths: [String]

        package init(keys: SigningKeys = SigningKeys(), paths: [String] = []) {
            self.keys = keys
            self.paths = paths
        }
    }

    private let repository: any SourceRepository
    private let verifiers: [String: any CommitVerifier]
    private let demand: Demand
    private let policies: PolicySources

    /// - Parameters:
    ///   - verifiers: Of each source, by its name; of the only repository, by the empty one.
    ///   - policies: The same that commits are read with; those from files count from the first commit on.
    package init(
        repository: any SourceRepository,
        verifiers: [String: any CommitVerifier],
        demand: Demand = Demand(),
        policies: PolicySources = PolicySources()
    ) {
        self.repository = repository
        self.verifiers = verifiers
        self.demand = demand
        self.policies = policies
    }

    /// Gives the commit back, with its signer, when it may be applied after the one that was applied last.
    ///
    /// The rules are those of the commit that was applied last: nobody can lift a rule by the commit that it forbids.
    /// Without one, what whoever runs the controller demands counts alone. Throws `SignatureRejected`, or
    /// `SignatureUnchecked` when no verdict could be had.
    ///
    /// - Parameter source: Whose commit it is, among several; each of them has a history of its own.
    package func admit(
        _ commit: CommitSummary,
        of source: String = "",
        after applied: DesiredState?
    ) throws -> CommitSummary {
        let base = SignatureGuard.commit(of: source, in: applied)
        guard commit.id != base else { return source.isEmpty ? applied?.commit ?? commit : commit }
        let rules = self.rules(for: commit.id, of: source, after: applied)
        guard !rules.isEmpty else { return commit }
        let gate = SignatureGate(rules: rules, self.questions(about: source))
        switch try gate.judge(commit.id, after: base) {
        case .accepted(let signer):
            var commit = commit
            commit.signer = signer?.description
            return commit
        case .refused(let refusal):
            throw SignatureGuard.rejection(of: commit.id, SignatureGuard.message(refusal, head: commit.id))
        }
    }

    /// The first guarded path that a commit touches, and who guards it; nil when it needs no signature.
    package func need(
        of commit: ObjectID,
        of source: String = "",
        after applied: DesiredState?
    ) throws -> (path: String, origin: String)? {
        let rules = self.rules(for: commit, of: source, after: applied)
        guard !rules.isEmpty else { return nil }
        let base = SignatureGuard.commit(of: source, in: applied)
        for path in try self.questions(about: source).changes(base, commit) {
            if let rule = rules.first(where: { $0.guards(path) }) { return (path, rule.origin) }
        }
        return nil
    }

    /// Checks that the rules of a commit that was read can be satisfied by somebody, before they come into force.
    ///
    /// Throws `SignatureRejected`: a commit that brings a rule whose keys cannot be read, or that makes a policy with
    /// rules unreadable, would lock everybody out or let everybody in. What was so before is not its fault.
    ///
    /// - Parameter commit: The one that is to blame; among several sources, that of the source which moved.
    package func checkRules(of desired: DesiredState, blaming commit: ObjectID, after applied: DesiredState?) throws {
        let policies = desired.policyReview.policies
        let signing = Set(
            (applied?.policyReview.policies.policies ?? []).filter { !$0.spec.signatures.isEmpty }.map(\.identity)
        )
        if let broken = policies.broken.first(where: { signing.contains($0.identity) }) {
            throw SignatureGuard.rejection(
                of: commit,
                "\(broken.identity), which says who must sign, cannot be read in it: \(broken.message)"
            )
        }
        let rules = self.impossibleRules(of: desired)
        guard !rules.isEmpty else { return }
        let known = Set(applied.map { self.impossibleRules(of: $0) }?.map(\.origin) ?? [])
        guard let rule = rules.first(where: { !known.contains($0.origin) }) else { return }
        throw SignatureGuard.rejection(
            of: commit,
            "nobody could satisfy its own rule \(rule.origin): \(rule.obstacle ?? "")"
        )
    }

    /// The rules of a state, for whichever source, that nobody can satisfy.
    private func impossibleRules(of desired: DesiredState) -> [SignatureRule] {
        let sources = CommitSet(id: desired.commit.id)?.commits.keys.sorted() ?? [""]
        return sources.flatMap { source in
            self.rules(of: desired.policyReview.policies, in: desired.commit.id, for: source)
                .filter { $0.obstacle != nil }
        }
    }

    private func rules(for commit: ObjectID, of source: String, after applied: DesiredState?) -> [SignatureRule] {
        var rules: [SignatureRule] = []
        if !self.demand.paths.isEmpty {
            rules.append(
                SignatureRule(paths: self.demand.paths, keys: self.demand.keys, origin: "--require-signatures")
            )
        }
        let new = SignatureGuard.whole(commit, of: source)
        guard let applied else {
            return rules + self.rules(of: PolicySet(sources: self.policies), in: new, for: source)
        }
        // Of a source that nothing was in force of, its own commit has the keys that policies from files name.
        var commits = CommitSet(id: applied.commit.id)
        if commits?.commits[source] == nil { commits?.commits[source] = commit }
        let state = commits?.id ?? applied.commit.id
        return rules + self.rules(of: applied.policyReview.policies, in: state, for: source)
    }

    /// The rules that policies have for the paths of a source, with the keys as one commit has them.
    private func rules(of policies: PolicySet, in commit: ObjectID, for source: String) -> [SignatureRule] {
        let policies = policies.policies.filter { $0.guardsPaths(of: source) }
        return SignatureRule.rules(of: policies, keys: self.demand.keys) { path, policy in
            let path = source.isEmpty ? path : "\(SourcePath(policy.source ?? source, path))"
            let entry = try self.repository.resolvedEntry(at: path, in: commit)
            return try self.repository.read(entry.object, limit: SignatureGuard.keyLimit)
        }
    }

    /// The commit of a source within a state.
    private static func commit(of source: String, in desired: DesiredState?) -> ObjectID? {
        source.isEmpty ? desired?.commit.id : desired.flatMap { CommitSet(id: $0.commit.id)?.commits[source] }
    }

    /// A commit of a source as the repository knows it.
    private static func whole(_ commit: ObjectID, of source: String) -> ObjectID {
        source.isEmpty ? commit : CommitSet([source: commit]).id
    }

    /// The most bytes of a file of keys.
    private static let keyLimit: Int64 = 16 << 20

    private func questions(about source: String) -> SignatureGate.Questions {
        SignatureGate.Questions(
            changes: { base, head in
                let base = base.map { SignatureGuard.whole($0, of: source) }
                let head = SignatureGuard.whole(head, of: source)
                let changes = try self.repository.changes(from: base, to: head, under: "")
                return changes.changed.map(\.path) + changes.removed
            },
            line: { try self.verifier(of: source).line(from: $0, to: $1) },
            verdict: { try self.verifier(of: source).verdict(on: $0, against: $1) }
        )
    }

    private func verifier(of source: String) throws -> any CommitVerifier {
        guard let verifier = self.verifiers[source] else {
            throw MartletError("SignatureUnchecked", "nobody checks the signatures of source '\(source)'")
        }
        return verifier
    }

    /// The word of a commit that was refused for its signatures.
    package static let rejected = "SignatureRejected"

    private static func rejection(of commit: ObjectID, _ reason: String) -> MartletError {
        MartletError(
            SignatureGuard.rejected,
            "commit \(commit.prefix(10)) is not applied: \(reason)",
            cause: RefusedCommit(id: commit)
        )
    }

    private static func message(_ refusal: SignatureGate.Refusal, head: ObjectID) -> String {
        let culprit = refusal.commit == head ? "it" : "commit \(refusal.commit.prefix(10)) before it"
        return "\(culprit) touches '\(refusal.path)', which allowed signers "
            + "must have signed (\(refusal.origin)), but \(refusal.reason)"
    }
}

/// The commit that an error is about, in full.
package struct RefusedCommit: Error, Sendable, CustomStringConvertible {
    package var id: ObjectID

    package var description: String { self.id }
}
