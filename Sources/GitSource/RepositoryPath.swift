internal import Schema

/// A path within a commit: relative, `/`-separated, without empty, `.` or `..` parts; the root is empty.
struct RepositoryPath: Hashable, Sendable, CustomStringConvertible {
    let parts: [String]

    /// Reads what a person wrote, such as `./manifests/`; throws when it points outside the repository.
    init(_ text: String) throws(MartletError) {
        guard !RelativePath.isAbsolute(text), !text.utf8.contains(0) else {
            throw MartletError(
                "PathInvalid",
                "'\(text)' is not a path within the repository: write it from the repository's root, without a "
                    + "leading '/'"
            )
        }
        let parts = RelativePath.names(of: text).filter { $0 != "." }
        guard !parts.contains("..") else {
            throw MartletError(
                "PathInvalid",
                "'\(text)' is not a path within the repository: '..' is not allowed, write it from the "
                    + "repository's root"
            )
        }
        self.parts = parts
    }

    /// Makes a path of parts that are known to be names.
    init(parts: [String]) {
        self.parts = parts
    }

    var isRoot: Bool { self.parts.isEmpty }

    /// The path as git writes it.
    var text: String { self.parts.joined(separator: "/") }

    var description: String { self.isRoot ? "." : self.text }
}
