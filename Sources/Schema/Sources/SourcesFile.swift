/// The file that `martlet run --sources` reads: every repository that a controller follows.
package struct SourcesFile: Sendable, Hashable, Codable {
    /// At least one, each with a name of its own.
    package var sources: [SourceSpec]

    package init(sources: [SourceSpec]) {
        self.sources = sources
    }

    /// The declaration of the whole document.
    package static let shape = ObjectShape([
        .required("sources", .list(.source, count: 1...100), "The repositories, in any order.")
    ])

    /// One sentence for readers of the reference.
    package static let summary = "The repositories that one controller follows side by side."

    /// What is wrong with a value beyond the shape of its fields; a part that its shape refused is null.
    package static func findings(in value: JSONValue) -> [Finding] {
        let names = (value["sources"]?.array ?? []).map { $0["name"]?.string }
        let counts = Dictionary(names.compactMap(\.self).map { ($0, 1) }, uniquingKeysWith: +)
        return names.enumerated().compactMap { index, name in
            guard let name, counts[name, default: 0] > 1 else { return nil }
            return Finding(
                FieldPath("sources").item(index).field("name"),
                "another source is called '\(name)' too; give each a name of its own"
            )
        }
    }
}

extension Shape {
    /// One source.
    fileprivate static let source = Shape.object(
        .required("name", .format(.label), "What people, hooks and diagnostics call it."),
        .required("url", .nonEmptyString, "A path on this machine, from the file's folder on, or a remote address."),
        .field("ref", .nonEmptyString, default: "HEAD", "The branch, tag or commit to follow."),
        .optional("path", .format(.repositoryFolder), "Only manifests below this folder of the repository."),
        .field("namespace", .format(.label), default: "default", "The namespace of manifests that name none."),
        .optional(
            "namespaces",
            .either([.list(.format(.label)), .word(["*"])]),
            "Where else its manifests may declare resources; '*' is everywhere. Without it, in `namespace` alone."
        ),
        .field("poll", .duration, default: "30s", "How often a remote repository is asked for news."),
        .optional("credentials", .sourceCredentials, "How a remote repository lets the controller in."),
        .optional(
            "hook",
            .object(.required("secret", .secret, "What the git server signs its hooks with.")),
            "Hooks that ask for this source."
        )
    )

    private static let sourceCredentials = Shape.object(
        .optional("username", .nonEmptyString, "The user; for https, with a token, often anything."),
        .optional("password", .secret, "The password or token, for https."),
        .optional(
            "sshKey",
            .object(.required("fromFile", .format(.fileName), "A file in the controller's secrets directory.")),
            "The private key, for ssh."
        ),
        .optional("passphrase", .secret, "What the private key is encrypted with."),
        .optional("knownHosts", .nonEmptyString, "The file of host keys to trust, from the file's folder on."),
        .optional(
            "caFile",
            .nonEmptyString,
            "A PEM file of authorities to trust for https instead of the system's, from the file's folder on."
        )
    )
}
