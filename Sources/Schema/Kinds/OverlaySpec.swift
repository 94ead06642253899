/// `Overlay`: other folders of the repository, with what differs here.
package struct OverlaySpec: Sendable, Hashable, Codable {
    package struct Patch: Sendable, Hashable, Codable {
        package struct Target: Sendable, Hashable, Codable {
            package var kind: Kind
            /// Nil: the namespace of what is included without one of its own.
            package var namespace: String?
            package var name: String
        }

        package var target: Target
        /// An RFC 7386 merge patch of the manifest.
        package var patch: [String: JSONValue]
    }

    /// Folders, from the overlay's own one, or with a `/` in front from the root of the repository.
    package var include: [String]
    /// Of included manifests that name none; nil: as if they were not included.
    package var namespace: String?
    package var labels: [String: String]
    package var patches: [Patch]
}

extension OverlaySpec {
    /// Where an included folder lies, from the root of the repository; nil when that is outside of it.
    ///
    /// - Parameter folder: The folder that the overlay's file is in.
    package static func path(of include: String, from folder: String) -> String? {
        var parts = RelativePath.isAbsolute(include) ? [] : RelativePath.names(of: folder)
        for part in RelativePath.names(of: include) where part != "." {
            guard part == ".." else {
                parts.append(part)
                continue
            }
            guard parts.popLast() != nil else { return nil }
        }
        return parts.joined(separator: "/")
    }
}
