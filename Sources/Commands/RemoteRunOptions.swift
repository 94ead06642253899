package import Schema

/// How `martlet run` gets into a remote repository, and what a fetch may cost.
package struct RemoteRunOptions: Sendable, Hashable {
    /// How long after one fetch the next one begins.
    package var poll = ManifestDuration(milliseconds: 30_000)
    package var username: String?
    package var password: SecretReference?
    /// The file of the private key.
    package var sshKey: SecretReference?
    package var passphrase: SecretReference?
    /// The path of a file with the keys of hosts; nil: `~/.ssh/known_hosts`.
    package var knownHosts: String?
    /// The path of a file of certificate authorities that are trusted instead of the system's.
    package var caFile: String?
    /// How long a fetch may take.
    package var deadline = ManifestDuration(milliseconds: 60_000)
    /// The most that one fetch may receive.
    package var maxFetch = ByteCount(bytes: 2 << 30)
    /// Whether `http://` is allowed to other machines.
    package var allowsPlainHTTP = false

    package init() {}
}
