/// A place in a file of the repository; lines and columns count from 1, columns in characters.
package struct SourceLocation: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var path: String
    package var line: Int
    package var column: Int

    package init(path: String, line: Int, column: Int) {
        self.path = path
        self.line = line
        self.column = column
    }

    /// `path:line:column`.
    package var description: String {
        "\(self.path):\(self.line):\(self.column)"
    }

    package static func < (lhs: SourceLocation, rhs: SourceLocation) -> Bool {
        (lhs.path, lhs.line, lhs.column) < (rhs.path, rhs.line, rhs.column)
    }
}

/// One thing that is wrong, or doubtful, in the manifests, and where.
package struct Diagnostic: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    package enum Severity: String, Sendable, Hashable, Codable {
        case error
        case warning
    }

    package var severity: Severity
    package var location: SourceLocation
    /// A full sentence fragment that names the problem and, where there is one, the nearest valid word.
    package var message: String
    /// The resource that the problem belongs to, where that much could be read.
    package var resource: ResourceIdentity?

    package init(
        _ severity: Severity = .error,
        at location: SourceLocation,
        _ message: String,
        resource: ResourceIdentity? = nil
    ) {
        self.severity = severity
        self.location = location
        self.message = message
        self.resource = resource
    }

    /// `path:line:column: error: message`.
    package var description: String {
        "\(self.location): \(self.severity.rawValue): \(self.message)"
    }

    package static func < (lhs: Diagnostic, rhs: Diagnostic) -> Bool {
        if lhs.location != rhs.location { return lhs.location < rhs.location }
        if lhs.severity != rhs.severity { return lhs.severity.rawValue < rhs.severity.rawValue }
        if lhs.message != rhs.message { return lhs.message < rhs.message }
        guard let resource = rhs.resource else { return false }
        return lhs.resource.map { $0 < resource } ?? true
    }
}
