/// Checks that bytes from elsewhere come with their hash.
enum SourceCheck {
    static func findings(_ source: JSONValue?, at path: FieldPath) -> [Finding] {
        guard let source, let uri = source["uri"]?.string, let location = ArtifactLocation(uri) else { return [] }
        guard !location.isInRepository, source["sha256"] == nil else { return [] }
        return [
            Finding(path, at: .firstKey, "missing field 'sha256', since '\(uri)' is not in the repository")
        ]
    }
}
