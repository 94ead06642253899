package import Schema

/// What one file of manifests says.
package struct ManifestFile: Sendable {
    /// Repository-relative; of a file that came through an overlay, a name that no other one has.
    package var path: String
    /// The documents without an error, in the order of the file.
    package var resources: [Resource] = []
    /// Everything that is wrong or doubtful, sorted.
    package var diagnostics: [Diagnostic] = []
    /// Documents of someone else's `apiVersion`.
    package var skippedForeignDocuments = 0
    /// Documents with an error, as far as they say which resource they are about, and where they begin.
    package var broken: [ResourceIdentity: SourceLocation] = [:]
    /// Whether some document cannot be told apart, so that the file may declare more than ``resources`` and ``broken``.
    package var unreadable = false
    /// The overlay that the file came through.
    package var origin: ResourceOrigin?

    package init(path: String) {
        self.path = path
    }

    /// The resources that documents with an error are about.
    package var brokenIdentities: Set<ResourceIdentity> { Set(self.broken.keys) }

    /// Makes what is known of a file that was not or could not be read at all.
    static func unreadable(
        _ path: String,
        _ message: String,
        severity: Diagnostic.Severity = .error
    ) -> ManifestFile {
        var file = ManifestFile(path: path)
        let location = SourceLocation(path: path, line: 1, column: 1)
        file.diagnostics = [Diagnostic(severity, at: location, message)]
        file.unreadable = true
        return file
    }
}
