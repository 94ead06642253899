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
    private let verifier: any CommitVerifier
    private let demand: Demand
    private let policies: PolicySources

    /// - Parameter policies: The same that commits are read with; those from files count from the first commit on.
    package init(
        repository: any SourceRepository,
        verifier: any CommitVerifier,
        demand: Demand = Demand(),
        policies: PolicySources = PolicySources()
    ) {
        self.repository = repository
        self.verifier = verifier
        self.demand = demand
        self.policies = policies
    }

    /// Gives the commit back, with its signer, when it may be applied after the one that was applied last.
    ///
    /// The rules are those of the commit that was applied last: nobody can lift a rule by the commit that it forbids.
    /// Without one, what whoever runs the controller demands counts alone. Throws `SignatureRejected`, or `SignatureUnchecked` when
    /// no verdict could be had.
    package func admit(_ commit: CommitSummary, after applied: DesiredState?) throws -> CommitSummary {
        guard commit.id != applied?.commit.id else { return applied?.commit ?? commit }
        let rules = self.rules(for: commit.id, after: applied)
        guard !rules.isEmpty else { return commit }
        let gate = SignatureGate(rules: rules, self.questions)
        switch try gate.judge(commit.id, after: applied?.commit.id) {
        case .accepted(let signer):
            var commit = commit
            commit.signer = signer?.description
            return commit
        case .refused(let refusal):
            throw SignatureGuard.rejection(of: commit.id, SignatureGuard.message(refusal, head: commit.id))
        }
    }

    /// The first guarded path that a commit touches, and who guards it; nil when it needs no signature.
    package func need(of commit: ObjectID, after applied: DesiredState?) throws -> (path: String, origin: String)? {
        let rules = self.rules(for: commit, after: applied)
        guard !rules.isEmpty else { return nil }
        for path in try self.questions.changes(applied?.commit.id, commit) {
            if let rule = rules.first(where: { $0.guards(path) }) { return (path, rule.origin) }
        }
        return nil
    }

    /// Checks that the rules of a commit that was read can be satisfied by somebody, before they come into force.
    ///
    /// Throws `SignatureRejected`: a commit that brings a rule whose keys cannot be read, or that makes a policy with
    /// rules unreadable, would lock everybody out or let everybody in.
    package func checkRules(of desired: DesiredState, after applied: DesiredState?) throws {
        let policies = desired.policyReview.policies
        let signing = Set(
            (applied?.policyReview.policies.policies ?? []).filter { !$0.spec.signatures.isEmpty }.map(\.identity)
        )
        if let broken = policies.broken.first(where: { signing.contains($0.identity) }) {
            throw SignatureGuard.rejection(
                of: desired.commit.id,
                "\(broken.identity), which says who must sign, cannot be read in it: \(broken.message)"
            )
        }
        let rules = self.rules(of: policies, in: desired.commit.id)
        guard let rule = rules.first(where: { $0.obstacle != nil }) else { return }
        throw SignatureGuard.rejection(
            of: desired.commit.id,
            "nobody could satisfy its own rule \(rule.origin): \(rule.obstacle ?? "")"
        )
    }

    private func rules(for commit: ObjectID, after applied: DesiredState?) -> [SignatureRule] {
        var rules: [SignatureRule] = []
        if !self.demand.paths.isEmpty {
            rules.append(
                SignatureRule(paths: self.demand.paths, keys: self.demand.keys, origin: "--require-signatures")
            )
        }
        guard let applied else { return rules + self.rules(of: PolicySet(sources: self.policies), in: commit) }
        return rules + self.rules(of: applied.policyReview.policies, in: applied.commit.id)
    }

    /// The rules of policies, with the keys as one commit has them.
    private func rules(of policies: PolicySet, in commit: ObjectID) -> [SignatureRule] {
        SignatureRule.rules(of: policies, keys: self.demand.keys) { path in
            let entry = try self.repository.resolvedEntry(at: path, in: commit)
            return try self.repository.read(entry.object, limit: SignatureGuard.keyLimit)
        }
    }

    /// The most bytes of a file of keys.
    private static let keyLimit: Int64 = 16 << 20

    private var questions: SignatureGate.Questions {
        SignatureGate.Questions(
            changes: { base, head in
                let changes = try self.repository.changes(from: base, to: head, under: "")
                return changes.changed.map(\.path) + changes.removed
            },
            line: { try self.verifier.line(from: $0, to: $1) },
            verdict: { try self.verifier.verdict(on: $0, against: $1) }
        )
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
