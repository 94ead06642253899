/// Rules for paths that manifests name: relative to the repository, and never outside it.
///
/// Paths are cut and compared byte by byte: as a character, a slash may join with what comes after it, and names that
/// are different files may be equal strings.
package enum RelativePath {
    private static let slash = UInt8(ascii: "/")

    /// Whether a text is a relative path without `..`, `.`, empty components, backslashes or control characters.
    package static func isValid(_ text: String) -> Bool {
        guard self.isFolder(text) else { return false }
        return text.utf8.split(separator: self.slash, omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }

    /// Whether a text is the path of a folder, from another one or from the root; `..` may lead anywhere.
    package static func isFolder(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 4096 else { return false }
        guard !zip(text.utf8, text.utf8.dropFirst()).contains(where: { $0 == (self.slash, self.slash) }) else {
            return false
        }
        return !text.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\\") || $0 == 0x7F }
    }

    /// Whether a path begins at the root of a file system.
    package static func isAbsolute(_ path: some StringProtocol) -> Bool {
        path.utf8.first == self.slash
    }

    /// The names between the slashes of a path, without empty ones.
    package static func names(of path: some StringProtocol) -> [String] {
        path.utf8.split(separator: self.slash).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a path ends with some text: as a character, the text's first letter may join with what comes before it.
    package static func path(_ path: String, endsWith ending: String) -> Bool {
        path.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
    }

    /// The folder of a path, empty for the root, and the name in it.
    package static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: self.slash) else { return ("", path) }
        let name = path.utf8[path.utf8.index(after: slash)...]
        return (String(decoding: path.utf8[..<slash], as: UTF8.self), String(decoding: name, as: UTF8.self))
    }

    /// A path as a folder above it sees it; nil for one that is not below the folder, and for the folder itself.
    ///
    /// - Parameter folder: Empty for the root; the root of one of several sources ends with a colon.
    package static func path(_ path: String, below folder: String) -> String? {
        var rest = path.utf8[...]
        if !folder.isEmpty {
            guard rest.starts(with: folder.utf8) else { return nil }
            rest = rest.dropFirst(folder.utf8.count)
            if folder.utf8.last != UInt8(ascii: ":"), rest.popFirst() != self.slash { return nil }
        }
        return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
    }
}
