internal import Foundation
internal import Planning
internal import Schema

/// The check of one commit's signature by `ssh-keygen` or `gpgv`, in a temporary folder.
struct SignatureCheck {
    let commit: SignedCommit
    let keys: SigningKeys
    let program: VerifierProgram

    /// The namespace that git's own SSH signatures carry.
    private static let namespace = "git"

    /// From 1970 to the end of the year 9999, in seconds.
    private static let sensibleTimes: ClosedRange<Int64> = 0...253_402_300_799

    /// Runs the check in a folder below `scratch` that is gone afterwards. Throws `SignatureUnchecked`.
    static func run(
        _ commit: SignedCommit,
        against keys: SigningKeys,
        scratch: String,
        deadline: Duration
    ) throws -> SignatureVerdict {
        guard SignatureCheck.sensibleTimes.contains(commit.time) else {
            return .refused("its committer's time, \(commit.time) s after 1970, makes no sense")
        }
        let folder = "\(scratch)/martlet-signature-\(UUID().uuidString)"
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw self.unchecked(error)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let check = SignatureCheck(
            commit: commit,
            keys: keys,
            program: VerifierProgram(folder: folder, deadline: deadline)
        )
        switch commit.format {
        case .ssh: return try check.checkSSH()
        case .openPGP: return try check.checkOpenPGP()
        case .other(let line): return .refused("its signature is neither SSH nor OpenPGP, but '\(line)'")
        }
    }

    private static func unchecked(_ error: any Error) -> MartletError {
        MartletError(
            "SignatureUnchecked",
            "a signature cannot be checked, since no temporary file can be written",
            disposition: .retryable,
            cause: error
        )
    }

    private func write(_ bytes: [UInt8], as name: String) throws -> String {
        let path = "\(self.program.folder)/\(name)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        do {
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(bytes))
        } catch {
            throw SignatureCheck.unchecked(error)
        }
        return path
    }
}

// MARK: - SSH

extension SignatureCheck {
    /// As git does it: the principals whose key it is, then the signature by each of them, at the committer's time.
    private func checkSSH() throws -> SignatureVerdict {
        guard let signers = self.keys.allowedSigners else {
            return .refused("it is signed by SSH, and no file of allowed signers is given")
        }
        let files = (
            signers: try self.write(signers, as: "allowed_signers"),
            signature: try self.write(self.commit.signature, as: "signature")
        )
        let time = "-Overify-time=\(SignatureCheck.stamp(self.commit.time))"
        let found = try self.program.run(
            ["ssh-keygen", "-Y", "find-principals", "-f", files.signers, "-s", files.signature, time]
        )
        let principals = found.status == 0 ? found.output.split(separator: "\n").map(String.init) : []
        var complaint = found.complaint
        for principal in principals {
            let words = [
                "ssh-keygen", "-Y", "verify", "-f", files.signers, "-I", principal, "-n", SignatureCheck.namespace,
                "-s", files.signature, time,
            ]
            let verified = try self.program.run(words, input: self.commit.payload)
            if verified.status == 0 {
                let key = verified.output.split(separator: " ").last { $0.hasPrefix("SHA256:") }
                let keys = key.map { [$0.trimmingCharacters(in: .whitespacesAndNewlines)] } ?? []
                return .signed(CommitSigner(name: principal, keys: keys))
            }
            complaint = verified.complaint
        }
        return .refused(try self.explainSSH(complaint, files.signature))
    }

    /// Says whether the signature is wrong, or right and by a key that is not allowed.
    private func explainSSH(_ complaint: String, _ signature: String) throws -> String {
        let words = ["ssh-keygen", "-Y", "check-novalidate", "-n", SignatureCheck.namespace, "-s", signature]
        let own = try self.program.run(words, input: self.commit.payload)
        guard own.status == 0 else { return "its signature does not fit it: it was changed after it was signed" }
        let key =
            own.output.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("SHA256:") } ?? "of an unknown kind"
        let detail = complaint.split(separator: "\n").first {
            $0.contains("key has expired") || $0.contains("not yet valid")
        }
        if let detail {
            return "the key \(key) was not valid at the commit's time: \(SignatureCheck.withoutPlace(detail))"
        }
        if complaint.contains("not permitted for use in signature namespace") {
            return "the key \(key) is not allowed to sign for git"
        }
        return "the key \(key) is not among the allowed signers"
    }

    /// `key has expired: …` of `/tmp/…/allowed_signers:1: key has expired: …`.
    private static func withoutPlace(_ line: Substring) -> Substring {
        guard let start = line.firstRange(of: "key ") else { return line }
        return line[start.lowerBound...]
    }

    /// A time as `ssh-keygen` reads it: `20261121104500`, in UTC.
    private static func stamp(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let numbers = [parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec]
        let digits = numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined()
        let year = String(parts.tm_year + 1900)
        return String(repeating: "0", count: max(4 - year.count, 0)) + year + digits
    }
}

// MARK: - OpenPGP

extension SignatureCheck {
    /// By `gpgv`, which trusts the keys of its keyring and no others; a key that has expired by now counts as expired.
    private func checkOpenPGP() throws -> SignatureVerdict {
        guard let keyring = self.keys.openPGPKeyring else {
            return .refused("it is signed by OpenPGP, and no keyring is given")
        }
        let files = (
            keyring: try self.write(keyring, as: "keyring.gpg"),
            signature: try self.write(self.commit.signature, as: "signature.asc")
        )
        let words = [
            "gpgv", "--homedir", self.program.folder, "--keyring", files.keyring, "--status-fd", "1",
            files.signature, "-",
        ]
        let outcome = try self.program.run(words, input: self.commit.payload)
        return GPGStatus(outcome.output).verdict(succeeded: outcome.status == 0)
    }
}
