internal import ArgumentParser
internal import Schema

/// Options of `martlet run` for the hooks of git servers.
struct RunHookOptions: ParsableArguments {
    @Option(help: "Address and port for the hooks of git servers, POST /hooks/git; without it, nobody listens.")
    var hooksListen: String?

    @Option(help: "The environment variable with the secret that hooks are signed with.")
    var hookSecretEnv: String?

    @Option(help: "The file with the secret that hooks are signed with; only its owner may read it.")
    var hookSecretFile: String?

    func validate() throws {
        if self.hookSecretEnv != nil, self.hookSecretFile != nil {
            throw ValidationError("give --hook-secret-env or --hook-secret-file, not both")
        }
        guard let listen = self.hooksListen else {
            guard self.secret == nil else {
                throw ValidationError("a secret for hooks needs a listener: add --hooks-listen 127.0.0.1:9091")
            }
            return
        }
        try RunCommand.checkAddress(listen, of: "--hooks-listen")
    }

    /// Throws unless hooks that are listened for can be told from others.
    ///
    /// - Parameter isNeeded: Whether no file of sources can name secrets.
    func checkSecret(isNeeded: Bool) throws {
        guard isNeeded, self.hooksListen != nil, self.secret == nil else { return }
        throw ValidationError(
            "--hooks-listen needs the secret of the hooks: add --hook-secret-env or --hook-secret-file"
        )
    }

    /// Nil when nobody is to listen.
    var options: HookOptions? {
        self.hooksListen.map { HookOptions(listen: $0, secret: self.secret) }
    }

    private var secret: SecretReference? {
        if let name = self.hookSecretEnv { return SecretReference(fromEnv: name) }
        // A path from where the command was given, not a name in the secrets directory.
        return self.hookSecretFile.map { SecretReference(fromFile: $0.contains("/") ? $0 : "./\($0)") }
    }
}
