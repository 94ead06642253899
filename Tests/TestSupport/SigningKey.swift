internal import Foundation
internal import Schema

/// A key made for one test by `ssh-keygen` or `gpg`; it signs commits of a ``TemporaryRepository``.
package final class SigningKey: Sendable {
    package enum Format: Sendable {
        case ssh
        case openPGP
    }

    package let format: Format
    /// The address that stands beside the key.
    package let address: String
    private let folder: TemporaryFolder

    /// Makes a key without a passphrase.
    ///
    /// - Parameter createdBefore: of an OpenPGP key, how many days ago it was made; it expires a day after that.
    package init(_ format: Format, address: String, expiredDaysAgo: Int? = nil) throws {
        self.format = format
        self.address = address
        self.folder = try TemporaryFolder()
        switch format {
        case .ssh:
            try Tool.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", address, "-f", self.privateFile])
        case .openPGP:
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: self.folder.path)
            var words = self.gpg + ["--quiet", "--passphrase", ""]
            if let days = expiredDaysAgo {
                // The clock of gpg is held still, so that the key has expired by now.
                let day = Date(timeIntervalSinceNow: -86_400 * Double(days + 1))
                words += ["--faked-system-time", "\(Int(day.timeIntervalSince1970))!"]
            }
            words += ["--quick-gen-key", "Ada <\(address)>", "ed25519", "sign", expiredDaysAgo == nil ? "never" : "1d"]
            try Tool.run(words)
            try Tool.run(self.gpg + ["--quiet", "--output", self.folder.file("keyring"), "--export"])
            // A child writes the program: were it open for writing here, a process that another test starts just then
            // would inherit it, and git could not run it ("Text file busy").
            let write = "printf %s \"$1\" > \"$2\" && chmod 700 \"$2\""
            try Tool.run(["sh", "-c", write, "sh", self.wrapper(expiredDaysAgo), self.folder.file("sign")])
        }
    }

    deinit {
        // The agent that gpg started would outlive the test.
        if self.format == .openPGP { try? Tool.run(["gpgconf", "--homedir", self.folder.path, "--kill", "all"]) }
    }

    /// What `git` has to be told in front of `commit -S` or `merge -S`.
    package var gitOptions: [String] {
        switch self.format {
        case .ssh: ["-c", "gpg.format=ssh", "-c", "user.signingkey=\(self.privateFile)"]
        case .openPGP: ["-c", "gpg.program=\(self.folder.file("sign"))", "-c", "user.signingkey=\(self.address)"]
        }
    }

    /// The keys that trust this one, as files hold them: an allowed-signers line, or a keyring.
    ///
    /// - Parameter options: of an SSH key, such as `valid-before="20200101"`.
    package func trusted(_ options: String = "") throws -> [UInt8] {
        switch self.format {
        case .ssh:
            let key = try String(contentsOfFile: "\(self.privateFile).pub", encoding: .utf8)
            return Array("\(self.address) \(options.isEmpty ? "" : options + " ")\(key)".utf8)
        case .openPGP:
            return Array(try Data(contentsOf: URL(filePath: self.folder.file("keyring"))))
        }
    }

    private var privateFile: String { self.folder.file("key") }

    private var gpg: [String] { ["gpg", "--homedir", self.folder.path, "--batch", "--pinentry-mode", "loopback"] }

    private func wrapper(_ expiredDaysAgo: Int?) -> String {
        var time = ""
        if let days = expiredDaysAgo {
            let day = Date(timeIntervalSinceNow: -86_400 * (Double(days) + 0.9))
            time = "--faked-system-time '\(Int(day.timeIntervalSince1970))!' "
        }
        return "#!/bin/sh\nexec gpg --homedir '\(self.folder.path)' \(time)\"$@\"\n"
    }
}

extension TemporaryRepository {
    /// Writes one file and commits it, signed by a key.
    @discardableResult
    package func commit(_ path: String, _ contents: String, signedBy key: SigningKey) throws -> String {
        try self.write(path, contents)
        return try self.commit(signedBy: key)
    }

    /// Commits the whole work tree as it is, signed by a key.
    @discardableResult
    package func commit(_ message: String = "Change", signedBy key: SigningKey, amend: Bool = false) throws -> String {
        try self.git("add", "--all")
        let words = ["commit", "--quiet", "--allow-empty", "-S", "--message", message] + (amend ? ["--amend"] : [])
        try self.git(key.gitOptions + words)
        return try self.head()
    }

    /// Merges a branch into the present one by a commit of its own, signed by a key or not signed.
    @discardableResult
    package func merge(_ branch: String, signedBy key: SigningKey?) throws -> String {
        let words = ["merge", "--quiet", "--no-ff", "--message", "Merge \(branch)"]
        try self.git((key?.gitOptions ?? []) + words + (key == nil ? [] : ["-S"]) + [branch])
        return try self.head()
    }
}
