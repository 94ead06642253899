internal import ArgumentParser
internal import Foundation
internal import Planning
internal import Schema

/// What counts beside the policies of the repository itself: policies and keys that nobody who writes to it can change.
struct PolicyOptions: ParsableArguments {
    @Option(
        name: .customLong("policy"),
        help: ArgumentHelp(
            "A file outside of the repository whose policies reach every namespace; may be given more than once.",
            valueName: "file"
        )
    )
    var files: [String] = []

    @Option(
        name: .customLong("policy-namespace"),
        help: ArgumentHelp(
            "A namespace whose policies reach every namespace; may be given more than once.",
            valueName: "namespace"
        )
    )
    var wideNamespaces: [String] = []

    @Option(
        help: ArgumentHelp(
            "Apply only commits that these SSH keys have signed; in git's allowed-signers format.",
            valueName: "file"
        )
    )
    var requireSignatures: String?

    @Option(
        name: .customLong("openpgp-keyring"),
        help: ArgumentHelp(
            "Apply only commits that these OpenPGP keys have signed; as 'gpg --export' writes them.",
            valueName: "file"
        )
    )
    var openPGPKeyring: String?

    @Option(
        help: ArgumentHelp(
            "Demand those signatures only where a commit touches this pattern of paths; may be given more than once.",
            valueName: "pattern"
        )
    )
    var signedPath: [String] = []

    func validate() throws {
        if let namespace = self.wideNamespaces.first(where: { !TextFormat.isLabel($0) }) {
            throw ValidationError("--policy-namespace '\(namespace)' is no name of a namespace")
        }
        if !self.signedPath.isEmpty, self.requireSignatures == nil, self.openPGPKeyring == nil {
            throw ValidationError("--signed-path goes with --require-signatures or --openpgp-keyring")
        }
        if let path = self.signedPath.first(where: { !TextFormat.glob.accepts($0) }) {
            throw ValidationError("--signed-path '\(path)' must be \(TextFormat.glob.expectation)")
        }
    }

    /// Reads the policies. Throws `PolicyUnreadable` with everything that is wrong with them.
    func sources(namespace: String) throws -> PolicySources {
        PolicySources(
            files: try self.files.flatMap { try PolicyFile.read($0, namespace: namespace) },
            wideNamespaces: Set(self.wideNamespaces)
        )
    }

    /// Reads the keys. Throws `KeysUnreadable`.
    func demand() throws -> SignatureGuard.Demand {
        let keys = SigningKeys(
            allowedSigners: try self.requireSignatures.map { try PolicyOptions.allowedSigners($0) },
            openPGPKeyring: try self.openPGPKeyring.map { try PolicyOptions.keys($0) }
        )
        guard !keys.isEmpty else { return SignatureGuard.Demand() }
        return SignatureGuard.Demand(keys: keys, paths: self.signedPath.isEmpty ? ["**"] : self.signedPath)
    }

    /// Throws for a file without a key: no commit could ever be applied.
    private static func allowedSigners(_ path: String) throws -> [UInt8] {
        let bytes = try self.keys(path)
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        let hasKey = lines.contains { line in
            // Who, then options, then the key: its type and, in base 64, all of it.
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 3, words.first?.hasPrefix("#") == false else { return false }
            return zip(words.dropFirst(), words.dropFirst(2)).contains { type, key in
                ["ssh-", "ecdsa-", "sk-"].contains { type.hasPrefix($0) } && key.hasPrefix("AAAA")
            }
        }
        guard hasKey else {
            throw MartletError(
                "KeysUnreadable",
                "there is no key in '\(path)', which --require-signatures names, so that no commit could be applied: "
                    + "write a line for each signer, such as 'ada@example.org ssh-ed25519 AAAA…'"
            )
        }
        return bytes
    }

    private static func keys(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else {
            throw MartletError("KeysUnreadable", "the file of keys '\(path)' is empty or cannot be read")
        }
        guard !data.starts(with: Data("-----BEGIN PGP".utf8)) else {
            throw MartletError(
                "KeysUnreadable",
                "'\(path)' is armored text, which gpgv does not read: convert it with `gpg --dearmor`"
            )
        }
        return Array(data)
    }
}
