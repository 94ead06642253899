/// Where the bytes of an artifact lie.
package enum ArtifactLocation: Sendable, Hashable {
    /// A path of the repository, read from the commit.
    case repository(path: String)
    /// An absolute path of this machine.
    case file(path: String)
    /// `https:`, `s3:` or `hf:`.
    case remote(scheme: String, uri: String)

    /// Reads what a manifest's `uri` says, or nil when it says nothing that can be fetched.
    package init?(_ uri: String) {
        guard let colon = uri.firstRange(of: "://") else {
            guard RelativePath.isValid(uri) else { return nil }
            self = .repository(path: uri)
            return
        }
        let rest = uri[colon.upperBound...]
        guard !uri.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else { return nil }
        switch uri[..<colon.lowerBound] {
        case "file"
        where RelativePath.isAbsolute(rest)
            && RelativePath.isValid(String(decoding: rest.utf8.dropFirst(), as: UTF8.self)):
            self = .file(path: String(rest))
        case "https" where !rest.isEmpty && !RelativePath.isAbsolute(rest),
            "s3" where rest.utf8.contains(UInt8(ascii: "/")) && !RelativePath.isAbsolute(rest):
            self = .remote(scheme: String(uri[..<colon.lowerBound]), uri: uri)
        case "hf" where RelativePath.names(of: rest).count >= 3:
            self = .remote(scheme: "hf", uri: uri)
        default:
            return nil
        }
    }

    /// Whether the bytes come with the commit, so that no sha256 is asked for.
    package var isInRepository: Bool {
        switch self {
        case .repository: true
        case .file, .remote: false
        }
    }
}

extension ModelSpec.Source {
    /// Where the bytes lie; nil only for a value that no reader checked.
    package var location: ArtifactLocation? { ArtifactLocation(self.uri) }
}
