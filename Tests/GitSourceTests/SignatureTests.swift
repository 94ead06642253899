import Foundation
import GitSource
import Planning
import Schema
import TestSupport
import Testing

@Suite("Signatures of commits")
struct SignatureTests {
    /// One key of each format, and the keys that trust it.
    struct Trust: Sendable {
        let key: SigningKey
        let keys: SigningKeys

        init(_ format: SigningKey.Format, expiredDaysAgo: Int? = nil) throws {
            self.key = try SigningKey(format, address: "ada@example.org", expiredDaysAgo: expiredDaysAgo)
            self.keys = try Trust.keys(of: self.key)
        }

        static func keys(of key: SigningKey) throws -> SigningKeys {
            switch key.format {
            case .ssh: SigningKeys(allowedSigners: try key.trusted())
            case .openPGP: SigningKeys(openPGPKeyring: try key.trusted())
            }
        }
    }

    private static func verdict(
        on commit: ObjectID,
        in repository: TemporaryRepository,
        _ keys: SigningKeys
    ) throws -> SignatureVerdict {
        try GitCommitVerifier(GitRepository(path: repository.path)).verdict(on: commit, against: keys)
    }

    private static func reason(_ verdict: SignatureVerdict) -> String {
        switch verdict {
        case .signed(let signer): "signed by \(signer)"
        case .refused(let reason): reason
        }
    }

    @Test(arguments: [SigningKey.Format.ssh, .openPGP])
    func goodSignatureNamesItsSigner(_ format: SigningKey.Format) throws {
        let trust = try Trust(format)
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: trust.key)
        guard case .signed(let signer) = try Self.verdict(on: commit, in: repository, trust.keys) else {
            Issue.record("refused")
            return
        }
        #expect(signer.isNamed("ada@example.org"))
        #expect(signer.keys.count == 1 && signer.isNamed(signer.keys[0]))
        #expect(!signer.isNamed("eve@example.org"))
        let looksRight = format == .ssh ? signer.keys[0].hasPrefix("SHA256:") : signer.keys[0].utf8.count == 40
        #expect(looksRight, "\(signer)")
    }

    @Test(arguments: [SigningKey.Format.ssh, .openPGP])
    func commitWithoutSignatureIsRefused(_ format: SigningKey.Format) throws {
        let trust = try Trust(format)
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a")
        #expect(try Self.verdict(on: commit, in: repository, trust.keys) == .refused("it carries no signature"))
    }

    @Test(arguments: [
        (SigningKey.Format.ssh, "is not among the allowed signers"), (.openPGP, "is not in the keyring"),
    ])
    func strangerIsRefused(_ format: SigningKey.Format, _ words: String) throws {
        let (trust, stranger) = (try Trust(format), try Trust(format))
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: stranger.key)
        let reason = Self.reason(try Self.verdict(on: commit, in: repository, trust.keys))
        #expect(reason.contains(words), "\(reason)")
    }

    /// The signature stays, what it was made over does not.
    @Test(arguments: [SigningKey.Format.ssh, .openPGP])
    func tamperedCommitIsRefused(_ format: SigningKey.Format) throws {
        let trust = try Trust(format)
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: trust.key)
        let text = try repository.git("cat-file", "commit", commit)
        let folder = try TemporaryFolder()
        try Data((text.replacing("\n\nChange", with: "\n\nAnother") + "\n").utf8)
            .write(to: URL(filePath: folder.file("commit")))
        let forged = try repository.git("hash-object", "-t", "commit", "-w", folder.file("commit"))
        #expect(forged != commit)
        let reason = Self.reason(try Self.verdict(on: forged, in: repository, trust.keys))
        #expect(reason.contains("it was changed after"), "\(reason)")
    }

    /// The commits of ``TemporaryRepository`` are from November 2023.
    @Test(arguments: [
        (#"valid-before="20230101""#, "not valid at the commit's time: key has expired"),
        (#"valid-after="20240101""#, "not valid at the commit's time: key is not yet valid"),
        (#"valid-after="20230101",valid-before="20240101""#, "signed by ada@example.org"),
        (#"namespaces="file""#, "not allowed to sign for git"),
    ])
    func timeOfAnSSHKeyIsTheCommits(_ options: String, _ words: String) throws {
        let key = try SigningKey(.ssh, address: "ada@example.org")
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: key)
        let keys = SigningKeys(allowedSigners: try key.trusted(options))
        let reason = Self.reason(try Self.verdict(on: commit, in: repository, keys))
        #expect(reason.contains(words), "\(reason)")
    }

    @Test func openPGPKeyThatHasExpiredByNowIsRefused() throws {
        let trust = try Trust(.openPGP, expiredDaysAgo: 10)
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: trust.key)
        let reason = Self.reason(try Self.verdict(on: commit, in: repository, trust.keys))
        #expect(reason.contains("has expired"), "\(reason)")
    }

    @Test func keysOfTheOtherFormatAreNotEnough() throws {
        let (ssh, openPGP) = (try Trust(.ssh), try Trust(.openPGP))
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: ssh.key)
        let reason = Self.reason(try Self.verdict(on: commit, in: repository, openPGP.keys))
        #expect(reason == "it is signed by SSH, and no file of allowed signers is given")
        let both = SigningKeys(allowedSigners: ssh.keys.allowedSigners, openPGPKeyring: openPGP.keys.openPGPKeyring)
        let other = try repository.commit("a.yaml", "b", signedBy: openPGP.key)
        #expect(Self.reason(try Self.verdict(on: commit, in: repository, both)).hasPrefix("signed by"))
        #expect(Self.reason(try Self.verdict(on: other, in: repository, both)).hasPrefix("signed by"))
    }

    @Test func armoredKeyringIsAnErrorThatSaysWhatToDo() throws {
        let trust = try Trust(.openPGP)
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: trust.key)
        let keys = SigningKeys(openPGPKeyring: Array("-----BEGIN PGP PUBLIC KEY BLOCK-----\n".utf8))
        let error = #expect(throws: MartletError.self) { try Self.verdict(on: commit, in: repository, keys) }
        #expect(error?.code == "SignatureUnchecked")
        #expect(error?.message.contains("gpg --dearmor") == true)
    }

    @Test func programThatDoesNotEndIsNotWaitedFor() throws {
        let trust = try Trust(.ssh)
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: trust.key)
        let verifier = GitCommitVerifier(try GitRepository(path: repository.path), deadline: .zero)
        let error = #expect(throws: MartletError.self) { try verifier.verdict(on: commit, against: trust.keys) }
        #expect(error?.code == "SignatureUnchecked" && error?.disposition == .retryable)
    }

    @Test(arguments: [SigningKey.Format.ssh, .openPGP])
    func nothingIsLeftWhereTheProgramsRead(_ format: SigningKey.Format) throws {
        let trust = try Trust(format)
        let repository = try TemporaryRepository()
        let commit = try repository.commit("a.yaml", "a", signedBy: trust.key)
        let scratch = "\(repository.path)/.git/scratch"
        let verifier = GitCommitVerifier(try GitRepository(path: repository.path), scratch: scratch)
        #expect(Self.reason(try verifier.verdict(on: commit, against: trust.keys)).hasPrefix("signed by"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch) == [])
    }

    /// The payload is longer than what fits between two processes at once.
    @Test(arguments: [SigningKey.Format.ssh, .openPGP])
    func longMessageIsChecked(_ format: SigningKey.Format) throws {
        let trust = try Trust(format)
        let repository = try TemporaryRepository()
        try repository.write("message", String(repeating: "a long line of words\n", count: 100_000))
        try repository.git(
            trust.key.gitOptions + ["commit", "-q", "--allow-empty", "-S", "-F", "message"]
        )
        let verdict = try Self.verdict(on: try repository.head(), in: repository, trust.keys)
        #expect(Self.reason(verdict).hasPrefix("signed by"))
    }
}

@Suite("Lines of commits")
struct CommitLineTests {
    private static func line(
        _ repository: TemporaryRepository,
        from base: ObjectID,
        to head: ObjectID
    ) throws -> CommitLine {
        try GitCommitVerifier(GitRepository(path: repository.path)).line(from: base, to: head)
    }

    @Test func lineGoesBackToTheBase() throws {
        let repository = try TemporaryRepository()
        let commits = try ["a", "b", "c"].map { try repository.commit("a.yaml", $0) }
        let line = try Self.line(repository, from: commits[0], to: commits[2])
        #expect(line.continuesBase)
        #expect(
            line.steps == [
                CommitLine.Step(commit: commits[2], firstParent: commits[1]),
                CommitLine.Step(commit: commits[1], firstParent: commits[0]),
            ]
        )
    }

    @Test func mergeStandsForWhatItBringsIn() throws {
        let repository = try TemporaryRepository()
        let base = try repository.commit("a.yaml", "a")
        try repository.git("checkout", "--quiet", "-b", "topic")
        try repository.commit("b.yaml", "b")
        try repository.checkout("main")
        let merge = try repository.merge("topic", signedBy: nil)
        let line = try Self.line(repository, from: base, to: merge)
        #expect(line == CommitLine(steps: [.init(commit: merge, firstParent: base)], continuesBase: true))
    }

    @Test func rewrittenHistoryEndsWhereBothMeet() throws {
        let repository = try TemporaryRepository()
        let root = try repository.commit("a.yaml", "a")
        let shared = try repository.commit("a.yaml", "b")
        let old = try repository.commit("a.yaml", "old")
        try repository.git("reset", "--quiet", "--hard", shared)
        let new = try repository.commit("a.yaml", "new")
        #expect(
            try Self.line(repository, from: old, to: new)
                == CommitLine(steps: [.init(commit: new, firstParent: shared)], continuesBase: false)
        )
        #expect(try Self.line(repository, from: old, to: root) == CommitLine(steps: [], continuesBase: false))
    }
}
