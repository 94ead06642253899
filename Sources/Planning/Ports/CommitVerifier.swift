/// The keys that signatures are held against, as the bytes of files that the standard programs read.
package struct SigningKeys: Sendable, Hashable {
    /// SSH keys in git's allowed-signers format.
    package var allowedSigners: [UInt8]?
    /// OpenPGP public keys, as `gpg --export` writes them.
    package var openPGPKeyring: [UInt8]?

    package init(allowedSigners: [UInt8]? = nil, openPGPKeyring: [UInt8]? = nil) {
        self.allowedSigners = allowedSigners
        self.openPGPKeyring = openPGPKeyring
    }

    package var isEmpty: Bool { self.allowedSigners == nil && self.openPGPKeyring == nil }

    /// These keys, and another's where there are none of a kind.
    package func filled(from other: SigningKeys) -> SigningKeys {
        SigningKeys(
            allowedSigners: self.allowedSigners ?? other.allowedSigners,
            openPGPKeyring: self.openPGPKeyring ?? other.openPGPKeyring
        )
    }
}

/// Whose signature a commit carries.
package struct CommitSigner: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The principal of an SSH key, or the user id of an OpenPGP key.
    package var name: String
    /// `SHA256:…` of an SSH key; the fingerprints of an OpenPGP key, the primary one first.
    package var keys: [String]

    package init(name: String, keys: [String]) {
        self.name = name
        self.keys = keys
    }

    /// `ada@example.org (SHA256:…)`.
    package var description: String {
        self.keys.first.map { "\(self.name) (\($0))" } ?? self.name
    }

    /// Whether a word of a policy names this signer: a fingerprint, the name, or the address within it.
    package func isNamed(_ word: String) -> Bool {
        let word = word.hasPrefix("SHA256:") ? word : word.lowercased()
        if self.keys.contains(where: { $0 == word || $0.lowercased() == word }) { return true }
        let name = self.name.lowercased()
        return name == word || name.hasSuffix("<\(word)>")
    }
}

/// What came of the check of one commit's signature.
package enum SignatureVerdict: Sendable, Hashable {
    case signed(CommitSigner)
    /// Not by one of these keys, and why: `no signature`, `unknown key SHA256:…`, `the key has expired`.
    case refused(String)
}

/// The commits between two points of a history, as a signature gate looks at them.
package struct CommitLine: Sendable, Hashable {
    package struct Step: Sendable, Hashable {
        package var commit: ObjectID
        /// Nil for a commit without parents, and where a shallow clone ends.
        package var firstParent: ObjectID?

        package init(commit: ObjectID, firstParent: ObjectID?) {
            self.commit = commit
            self.firstParent = firstParent
        }
    }

    /// The first-parent line from the head on, newest first, up to what the base reaches.
    package var steps: [Step]
    /// Whether the line ends at the base itself, so that its steps are all that was done to it.
    package var continuesBase: Bool

    package init(steps: [Step], continuesBase: Bool) {
        self.steps = steps
        self.continuesBase = continuesBase
    }
}

/// Checks who signed commits. Calls block for as long as the check takes.
package protocol CommitVerifier: Sendable {
    /// The line from one commit to another. Throws what reading the repository throws.
    func line(from base: ObjectID, to head: ObjectID) throws -> CommitLine

    /// Checks one commit's signature. Throws `SignatureUnchecked`, with what to do, when no verdict could be had.
    func verdict(on commit: ObjectID, against keys: SigningKeys) throws -> SignatureVerdict
}
