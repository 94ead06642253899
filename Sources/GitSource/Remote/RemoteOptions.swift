package import Schema

/// Where a remote repository is, what is followed in it, how to get in, and what a fetch may cost.
package struct RemoteOptions: Sendable, Hashable {
    package var url: RemoteURL
    /// A branch, a tag, a full commit id, a whole ref name such as `refs/heads/main`, or `HEAD`.
    package var ref: String
    package var credentials: RemoteCredentials
    /// How long after one fetch the next one begins.
    package var poll: Duration
    /// How long a fetch may take before its process is killed.
    package var deadline: Duration
    /// The most bytes that one fetch may receive.
    package var maxBytes: Int64
    /// How many bytes a fetch leaves free on the disk.
    package var reservedBytes: Int64
    /// Whether `http://` is allowed to hosts other than this one, although everybody on the way can read and change it.
    package var allowsPlainHTTP: Bool

    package init(
        url: RemoteURL,
        ref: String = "HEAD",
        credentials: RemoteCredentials = RemoteCredentials(),
        poll: Duration = .seconds(30),
        deadline: Duration = .seconds(60),
        maxBytes: Int64 = 2 << 30,
        reservedBytes: Int64 = 256 << 20,
        allowsPlainHTTP: Bool = false
    ) {
        self.url = url
        self.ref = ref
        self.credentials = credentials
        self.poll = poll
        self.deadline = deadline
        self.maxBytes = maxBytes
        self.reservedBytes = reservedBytes
        self.allowsPlainHTTP = allowsPlainHTTP
    }
}

/// How Martlet proves to a git server who it is, and the server to Martlet; secrets are only named here.
package struct RemoteCredentials: Sendable, Hashable {
    /// The user; nil: the one in the URL, else `git`.
    package var username: String?
    /// The password or token for `https`.
    package var password: SecretReference?
    /// The path of the private key for `ssh`.
    package var sshKey: String?
    /// What that key is encrypted with; nil: it is not.
    package var sshKeyPassphrase: SecretReference?
    /// The path of the file of host keys that are trusted, in OpenSSH's format; nil: `~/.ssh/known_hosts`.
    package var knownHosts: String?
    /// The path of a file of certificate authorities, in PEM, that are trusted instead of the system's, for `https`.
    package var caFile: String?

    package init(
        username: String? = nil,
        password: SecretReference? = nil,
        sshKey: String? = nil,
        sshKeyPassphrase: SecretReference? = nil,
        knownHosts: String? = nil,
        caFile: String? = nil
    ) {
        self.username = username
        self.password = password
        self.sshKey = sshKey
        self.sshKeyPassphrase = sshKeyPassphrase
        self.knownHosts = knownHosts
        self.caFile = caFile
    }
}
