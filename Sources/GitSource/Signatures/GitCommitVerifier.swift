internal import CLibGit2
internal import Foundation
package import Planning
internal import Schema
internal import Synchronization

/// Checks the signatures of a repository's commits through `ssh-keygen` and `gpgv`.
///
/// A verdict is kept by commit and keys, since neither changes: what is asked again costs nothing. Only those by OpenPGP
/// are not, because keys expire meanwhile.
package final class GitCommitVerifier: CommitVerifier {
    private struct Question: Hashable {
        var commit: ObjectID
        var keys: SigningKeys
    }

    /// Verdicts that are kept at most.
    private static let kept = 4096

    /// Throws why there is nothing to read yet.
    private let repository: @Sendable () throws -> GitRepository
    private let scratch: String
    private let deadline: Duration
    private let known = Mutex<[Question: SignatureVerdict]>([:])

    /// - Parameters:
    ///   - repository: Asked for at each check, since a clone may come later.
    ///   - scratch: The folder for what the programs read.
    ///   - deadline: How long one run of a program may take.
    package init(
        _ repository: @autoclosure @escaping @Sendable () throws -> GitRepository,
        scratch: String = FileManager.default.temporaryDirectory.path,
        deadline: Duration = .seconds(10)
    ) {
        self.repository = repository
        self.scratch = scratch
        self.deadline = deadline
    }

    package func verdict(on commit: ObjectID, against keys: SigningKeys) throws -> SignatureVerdict {
        let question = Question(commit: commit, keys: keys)
        if let known = self.known.withLock({ $0[question] }) { return known }
        let (verdict, lasts) = try self.check(commit, against: keys)
        guard lasts else { return verdict }
        self.known.withLock { known in
            if known.count >= Self.kept { known = [:] }
            known[question] = verdict
        }
        return verdict
    }

    /// The verdict, and whether it will be the same at any later time.
    private func check(_ commit: ObjectID, against keys: SigningKeys) throws -> (SignatureVerdict, lasts: Bool) {
        try GitCommitVerifier.refuseArmor(keys)
        let id = try LibGit2.objectID(commit)
        guard let signed = try self.repository().handles.read({ try $0.signedCommit(id) }) else {
            return (.refused("it carries no signature"), true)
        }
        let verdict = try SignatureCheck.run(
            signed,
            against: keys,
            scratch: self.scratch,
            deadline: self.deadline
        )
        switch signed.format {
        case .openPGP: return (verdict, false)
        case .ssh, .other: return (verdict, true)
        }
    }

    /// `gpgv` takes no armored keys, and would say of each that it is unknown.
    private static func refuseArmor(_ keys: SigningKeys) throws {
        guard let keyring = keys.openPGPKeyring, keyring.starts(with: Array("-----BEGIN PGP".utf8)) else { return }
        throw MartletError(
            "SignatureUnchecked",
            "the OpenPGP keyring is armored text, which gpgv does not read: convert it with `gpg --dearmor`"
        )
    }

    package func line(from base: ObjectID, to head: ObjectID) throws -> CommitLine {
        let (base, head) = (try LibGit2.objectID(base), try LibGit2.objectID(head))
        return try self.repository().handles.read { try $0.line(from: base, to: head) }
    }
}

extension RepositoryHandle {
    /// Follows first parents from the head to the base, or to the first commit that the base reaches another way.
    fileprivate func line(from base: git_oid, to head: git_oid) throws -> CommitLine {
        var steps: [CommitLine.Step] = []
        let end = base.hexadecimal
        var next: git_oid? = head
        while let id = next, id.hexadecimal != end {
            next = try self.firstParent(of: id)
            steps.append(CommitLine.Step(commit: id.hexadecimal, firstParent: next?.hexadecimal))
        }
        if next != nil { return CommitLine(steps: steps, continuesBase: true) }
        // Once the base reaches a commit it reaches all below it, so the first of these is found by halving.
        var (low, high) = (0, steps.count)
        while low < high {
            let middle = (low + high) / 2
            if try self.reaches(base, steps[middle].commit) { high = middle } else { low = middle + 1 }
        }
        return CommitLine(steps: Array(steps[..<low]), continuesBase: false)
    }

    /// Nil for a commit without parents, and where a shallow clone ends.
    private func firstParent(of id: git_oid) throws -> git_oid? {
        let commit = try self.commit(id)
        defer { git_commit_free(commit) }
        guard var parent = git_commit_parent_id(commit, 0)?.pointee else { return nil }
        return git_odb_exists(self.objects, &parent) == 1 ? parent : nil
    }

    private func reaches(_ base: git_oid, _ commit: ObjectID) throws -> Bool {
        var (base, commit) = (base, try LibGit2.objectID(commit))
        let outcome = git_graph_descendant_of(self.repository, &base, &commit)
        try check(outcome, .read(object: base))
        return outcome == 1
    }
}
