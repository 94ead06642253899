/// One field in which a resource names another one.
package struct ResourceReference: Sendable, Hashable {
    package var target: ResourceIdentity
    /// Where the name stands in the document: `spec.steps[0].prompt.model`.
    package var field: String
    package var location: SourceLocation

    package init(target: ResourceIdentity, field: String, location: SourceLocation) {
        self.target = target
        self.field = field
        self.location = location
    }
}

/// One field in which a resource names a file or a folder of the repository.
package struct FileReference: Sendable, Hashable {
    /// What must stand at the path.
    package enum Form: String, Sendable, Hashable, Codable {
        case file
        /// A model may be a folder of files.
        case fileOrFolder
        case folder
    }

    /// Repository-relative.
    package var path: String
    package var form: Form
    /// Where the path stands in the document: `spec.source.uri`.
    package var field: String
    package var location: SourceLocation

    package init(path: String, form: Form, field: String, location: SourceLocation) {
        self.path = path
        self.form = form
        self.field = field
        self.location = location
    }
}

extension ResourceIdentity {
    /// Reads a reference of a manifest: `name`, in the namespace of the manifest that says it, or `namespace/name`.
    package init?(_ kind: Kind, reference: String, in namespace: String) {
        let slash = UInt8(ascii: "/")
        let parts = reference.utf8.split(separator: slash, omittingEmptySubsequences: false).map { Substring($0) }
        guard (1...2).contains(parts.count), parts.allSatisfy({ TextFormat.isLabel($0) }), let name = parts.last else {
            return nil
        }
        self.init(kind, namespace: parts.count == 2 ? String(parts[0]) : namespace, name: String(name))
    }
}
