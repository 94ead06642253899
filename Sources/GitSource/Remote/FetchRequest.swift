/// What a fetching process is asked to do; it reads this, secrets included, from its standard input.
package struct FetchRequest: Sendable, Hashable, Codable {
    /// What is to be done with the clone.
    package enum Task: String, Sendable, Hashable, Codable {
        /// Bring the followed ref up to date.
        case fetch
        /// Write what the kept refs reach into one pack, and drop the rest.
        case repack
    }

    package var task = Task.fetch
    /// The folder of the clone.
    package var clone: String
    /// The address without a password; for `http` and `https` without a user too.
    package var address: String
    package var transport: RemoteURL.Transport
    package var isLoopback: Bool
    package var ref: String
    package var username: String?
    package var password: String?
    /// The path of the private key.
    package var sshKey: String?
    package var sshKeyPassphrase: String?
    /// The path of the trusted host keys.
    package var knownHosts: String?
    /// The path of the certificate authorities that are trusted instead of the system's.
    package var caFile: String?
    package var maxBytes: Int64
    package var reservedBytes: Int64
    /// After how many seconds the process ends by itself, should nobody have killed it.
    package var seconds: Int

    /// Asks for what the options say, with the secrets that they name.
    package init(task: Task, clone: String, options: RemoteOptions, password: String?, sshKeyPassphrase: String?) {
        let (url, credentials) = (options.url, options.credentials)
        (self.task, self.clone) = (task, clone)
        (self.address, self.transport, self.isLoopback) = (url.address, url.transport, url.isLoopback)
        self.ref = options.ref
        self.username = credentials.username ?? url.user
        (self.password, self.sshKeyPassphrase) = (password, sshKeyPassphrase)
        (self.sshKey, self.knownHosts) = (credentials.sshKey, credentials.knownHosts)
        self.caFile = credentials.caFile
        (self.maxBytes, self.reservedBytes) = (options.maxBytes, options.reservedBytes)
        self.seconds = Int(options.deadline.components.seconds) + 1
    }
}

/// What a fetching process found and did.
package struct FetchAnswer: Sendable, Hashable, Codable {
    /// The commit that the ref stands for now.
    package var commit: String
    /// How many packs the clone has.
    package var packs: Int
    /// How many bytes they hold together.
    package var bytes: Int64

    package init(commit: String, packs: Int = 1, bytes: Int64 = 0) {
        self.commit = commit
        self.packs = packs
        self.bytes = bytes
    }
}

/// Performs one request; throws a `MartletError` that says what to do.
package typealias Fetcher = @Sendable (FetchRequest) async throws -> FetchAnswer
