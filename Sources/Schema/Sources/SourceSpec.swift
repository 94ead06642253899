/// One repository that a controller follows, as a file of sources declares it.
package struct SourceSpec: Sendable, Hashable, Codable {
    /// What people, hooks and diagnostics call it: unique among the sources of a controller.
    package var name: String
    /// The path of a repository on this machine, or the address of a remote one.
    package var url: String
    /// A branch, a tag or a commit.
    package var ref: String
    /// Only manifests below this folder; nil: all.
    package var path: String?
    /// Of manifests that name none.
    package var namespace: String
    /// Where its manifests may declare resources; nil: in ``namespace`` alone.
    package var namespaces: NamespaceReach?
    /// How often a remote repository is asked.
    package var poll: ManifestDuration
    package var credentials: Credentials?
    /// Nil: no hook asks for this source.
    package var hook: Hook?

    package init(
        name: String,
        url: String,
        ref: String = "HEAD",
        path: String? = nil,
        namespace: String = "default",
        namespaces: NamespaceReach? = nil
    ) {
        self.name = name
        self.url = url
        self.ref = ref
        self.path = path
        self.namespace = namespace
        self.namespaces = namespaces
        self.poll = ManifestDuration(milliseconds: 30_000)
    }

    /// How a remote repository lets the controller in.
    package struct Credentials: Sendable, Hashable, Codable {
        package var username: String?
        package var password: SecretReference?
        package var sshKey: SecretReference?
        package var passphrase: SecretReference?
        /// The path of a file with the keys of hosts.
        package var knownHosts: String?
        /// The path of a file of certificate authorities that are trusted instead of the system's.
        package var caFile: String?

        package init(
            username: String? = nil,
            password: SecretReference? = nil,
            sshKey: SecretReference? = nil,
            passphrase: SecretReference? = nil,
            knownHosts: String? = nil,
            caFile: String? = nil
        ) {
            self.username = username
            self.password = password
            self.sshKey = sshKey
            self.passphrase = passphrase
            self.knownHosts = knownHosts
            self.caFile = caFile
        }
    }

    /// How a git server shows that a hook is its own.
    package struct Hook: Sendable, Hashable, Codable {
        package var secret: SecretReference
    }

    /// Whether a manifest of this source may declare resources in a namespace.
    package func mayDeclare(in namespace: String) -> Bool {
        switch self.namespaces {
        case nil: namespace == self.namespace
        case .all?: true
        case .only(let names)?: namespace == self.namespace || names.contains(namespace)
        }
    }
}

/// The namespaces that a source's manifests may declare resources in.
package enum NamespaceReach: Sendable, Hashable, Codable {
    /// `"*"`.
    case all
    /// These, and the source's own.
    case only(Set<String>)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let names = try? container.decode([String].self) {
            self = .only(Set(names))
        } else {
            self = .all
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .all: try container.encode("*")
        case .only(let names): try container.encode(names.sorted())
        }
    }
}
