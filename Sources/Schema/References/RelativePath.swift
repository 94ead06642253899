/// Rules for paths that manifests name: relative to the repository, and never outside it.
package enum RelativePath {
    /// Whether a text is a relative path without `..`, `.`, empty components, backslashes or control characters.
    package static func isValid(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 4096 else { return false }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") || $0 == 0x7F }) else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// Whether a text is the path of a folder, from another one or from the root; `..` may lead anywhere.
    package static func isFolder(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 4096, !text.contains("//") else { return false }
        return !text.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\\") || $0 == 0x7F }
    }
}
