internal import ArgumentParser
internal import Schema

/// Options of `martlet run` for a repository that is fetched from somewhere else.
struct RunRemoteOptions: ParsableArguments {
    @Option(help: "How often a remote repository is asked for new commits.")
    var poll = "30s"

    @Option(help: "The user for a remote repository; default: the one in its address, else git.")
    var username: String?

    @Option(help: "The environment variable with the password or token for https.")
    var passwordEnv: String?

    @Option(help: "The file with the password or token for https; only its owner may read it.")
    var passwordFile: String?

    @Option(help: "The file of the private key for ssh; only its owner may read it.")
    var sshKey: String?

    @Option(help: "The environment variable with the passphrase of that key.")
    var sshPassphraseEnv: String?

    @Option(help: "The file of the host keys that are trusted; default ~/.ssh/known_hosts.")
    var knownHosts: String?

    @Option(help: "A PEM file of certificate authorities that are trusted for https, instead of the system's.")
    var caFile: String?

    @Option(help: "How long a fetch may take before it is ended.")
    var fetchTimeout = "60s"

    @Option(help: "The most that one fetch may receive, such as 500Mi.")
    var maxFetch = "2Gi"

    @Flag(help: "Allow http:// to other machines, although everybody on the way can read and change what comes.")
    var insecureHttp = false

    func validate() throws {
        if self.passwordEnv != nil, self.passwordFile != nil {
            throw ValidationError("give --password-env or --password-file, not both")
        }
        for (option, value) in [("--poll", self.poll), ("--fetch-timeout", self.fetchTimeout)] {
            guard let duration = ManifestDuration(value), duration.milliseconds > 0 else {
                throw ValidationError("\(option) '\(value)' is no length of time; write 30s or 5m")
            }
        }
        guard let most = ByteCount(self.maxFetch), most.bytes > 0 else {
            throw ValidationError("--max-fetch '\(self.maxFetch)' is no amount of bytes; write 500Mi or 2Gi")
        }
    }

    /// Throws when credentials are given that no single repository takes.
    func checkSingle() throws {
        let isGiven = self.username != nil || self.passwordEnv != nil || self.passwordFile != nil || self.sshKey != nil
        let isTrusted = self.knownHosts != nil || self.caFile != nil
        guard isGiven || self.sshPassphraseEnv != nil || isTrusted || self.poll != "30s" else { return }
        throw ValidationError("--sources names the credentials and the poll of each source: leave them out here")
    }

    var options: RemoteRunOptions {
        var options = RemoteRunOptions()
        options.poll = ManifestDuration(self.poll) ?? options.poll
        options.username = self.username
        options.password = self.passwordEnv.map { SecretReference(fromEnv: $0) } ?? self.passwordFile.map(Self.file)
        options.sshKey = self.sshKey.map(Self.file)
        options.passphrase = self.sshPassphraseEnv.map { SecretReference(fromEnv: $0) }
        options.knownHosts = self.knownHosts
        options.caFile = self.caFile
        options.deadline = ManifestDuration(self.fetchTimeout) ?? options.deadline
        options.maxFetch = ByteCount(self.maxFetch) ?? options.maxFetch
        options.allowsPlainHTTP = self.insecureHttp
        return options
    }

    /// A path from where the command was given, not a name in the secrets directory.
    private static func file(_ path: String) -> SecretReference {
        SecretReference(fromFile: path.contains("/") ? path : "./\(path)")
    }
}
