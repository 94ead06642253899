/// Decides whether a commit may be applied, by who signed what: a pure function of the answers that it is given.
///
/// Only what touches guarded paths counts. Every commit on the first-parent line since the commit that was applied last
/// has to be signed where it touches them; a signed merge vouches for what it brings in. Where history was rewritten or
/// moved back, and before the first commit, the new commit itself has to be signed. A commit that leaves the guarded
/// paths as they are applied needs no signature, whatever lies between.
package struct SignatureGate {
    /// What the gate asks of the repository.
    package struct Questions {
        /// The paths that differ from one commit, or from nothing, to another.
        var changes: (_ from: ObjectID?, _ to: ObjectID) throws -> [String]
        var line: (_ from: ObjectID, _ to: ObjectID) throws -> CommitLine
        var verdict: (ObjectID, SigningKeys) throws -> SignatureVerdict

        package init(
            changes: @escaping (_ from: ObjectID?, _ to: ObjectID) throws -> [String],
            line: @escaping (_ from: ObjectID, _ to: ObjectID) throws -> CommitLine,
            verdict: @escaping (ObjectID, SigningKeys) throws -> SignatureVerdict
        ) {
            self.changes = changes
            self.line = line
            self.verdict = verdict
        }
    }

    package enum Decision: Sendable, Hashable {
        /// With the signer of the commit itself, where it had to be signed.
        case accepted(CommitSigner?)
        case refused(Refusal)
    }

    /// Which commit was not signed as it should be.
    package struct Refusal: Sendable, Hashable {
        package var commit: ObjectID
        /// One of the guarded paths that it touches.
        package var path: String
        package var origin: String
        package var reason: String
    }

    private let rules: [SignatureRule]
    private let ask: Questions

    package init(rules: [SignatureRule], _ ask: Questions) {
        self.rules = rules
        self.ask = ask
    }

    /// Judges the way from the commit that was applied last, or from nothing, to another. Throws what the questions
    /// throw.
    package func judge(_ head: ObjectID, after base: ObjectID?) throws -> Decision {
        guard !self.rules.isEmpty else { return .accepted(nil) }
        let guarded = self.guarded(by: self.rules, try self.ask.changes(base, head))
        guard !guarded.isEmpty else { return .accepted(nil) }
        guard let base else { return try self.judge([(head, guarded)]) }
        let line = try self.ask.line(base, head)
        var demands = line.continuesBase ? [] : [(commit: head, guarded: guarded)]
        for step in line.steps {
            // Only rules that the whole way concerns: what was done and undone between concerns nobody.
            let touched = self.guarded(by: guarded.map(\.rule), try self.ask.changes(step.firstParent, step.commit))
            if !touched.isEmpty { demands.append((step.commit, touched)) }
        }
        return try self.judge(demands, head: head)
    }

    private typealias Guarded = (rule: SignatureRule, path: String)

    private func guarded(by rules: [SignatureRule], _ paths: [String]) -> [Guarded] {
        rules.compactMap { rule in paths.first { rule.guards($0) }.map { (rule, $0) } }
    }

    private func judge(_ demands: [(commit: ObjectID, guarded: [Guarded])], head: ObjectID? = nil) throws -> Decision {
        var signer: CommitSigner?
        for (commit, guarded) in demands {
            for (rule, path) in guarded {
                let verdict = try rule.obstacle.map { .refused($0) } ?? rule.narrow(self.ask.verdict(commit, rule.keys))
                switch verdict {
                case .signed(let found):
                    if commit == head || head == nil { signer = signer ?? found }
                case .refused(let reason):
                    return .refused(Refusal(commit: commit, path: path, origin: rule.origin, reason: reason))
                }
            }
        }
        return .accepted(signer)
    }
}
