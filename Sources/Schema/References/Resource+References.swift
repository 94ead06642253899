extension Resource {
    /// Everything that this resource names, in the order of fields: what the dependency graph is made of.
    package var references: [ResourceReference] { self.links.references }

    /// The files and folders of the repository that this resource names, in the order of fields.
    package var files: [FileReference] { self.links.files }
}

/// What a resource refers to, found once by the declaration of its kind.
struct ResourceLinks: Sendable, Hashable {
    var references: [ResourceReference] = []
    var files: [FileReference] = []

    init(
        identity: ResourceIdentity,
        canonicalSpec: JSONValue,
        location: SourceLocation,
        fieldLocations: [String: SourceLocation]
    ) {
        identity.kind.shape.visit(canonicalSpec, at: FieldPath("spec"), for: .names) { visit in
            guard case .string(let text) = visit.value else { return }
            switch visit.shape {
            case .reference(let kind):
                guard let target = ResourceIdentity(kind, reference: text, in: identity.namespace) else { return }
                let (field, place) = fieldLocations.place(of: visit.path) ?? (visit.path.description, location)
                self.references.append(ResourceReference(target: target, field: field, location: place))
            case .text(let rule):
                guard let form = rule.format?.fileForm, let path = ResourceLinks.path(text) else { return }
                let (field, place) = fieldLocations.place(of: visit.path) ?? (visit.path.description, location)
                self.files.append(FileReference(path: path, form: form, field: field, location: place))
            case .integer, .number, .boolean, .word, .quantity, .secret, .object, .map, .list, .either, .any,
                .expression, .named:
                return
            }
        }
    }

    private static func path(_ uri: String) -> String? {
        guard case .repository(let path) = ArtifactLocation(uri) else { return nil }
        return path
    }
}

extension [String: SourceLocation] {
    /// A field and where it stands, both as they are kept here: the same text is not kept twice.
    fileprivate func place(of path: FieldPath) -> (field: String, location: SourceLocation)? {
        self.index(forKey: path.description).map { (self[$0].key, self[$0].value) }
    }
}

extension TextFormat {
    /// What a text of this format names in the repository, if it names anything there.
    package var fileForm: FileReference.Form? {
        switch self {
        case .artifact, .repositoryPath: .fileOrFolder
        case .artifactFile: .file
        case .repositoryFolder: .folder
        case .includedFolder, .label, .namespacePattern, .adapter, .engine, .sha256, .glob, .url, .host, .regex,
            .environmentVariable,
            .fileName, .query, .ratio, .cron, .signal, .identifier:
            nil
        }
    }
}
