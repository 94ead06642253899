/// A pattern of repository paths: `production/**`, `*.yaml`, `models/*/card.md`.
///
/// As in `.gitignore`: a pattern with a `/` inside begins at the root, one without matches at any depth, and what
/// matches a folder matches everything below it. `*` and `?` stay within one name, `**` stands for any number of them.
package struct PathPattern: Sendable, Hashable {
    /// As bytes: characters may join with the slash before them.
    private let names: [[UInt8]]
    /// Whether only what lies below a match counts: `a/**` is not `a` itself.
    private let isBelow: Bool

    package init(_ text: String) {
        let isFolder = text.utf8.last == UInt8(ascii: "/")
        var names = PathPattern.split(text)
        if names.count == 1 { names.insert(PathPattern.anyNames, at: 0) }
        self.isBelow = isFolder || names.last == PathPattern.anyNames
        while names.last == PathPattern.anyNames { names.removeLast() }
        self.names = names
    }

    /// Whether the pattern matches the path, or a folder that holds it.
    package func matches(_ path: String) -> Bool {
        let path = PathPattern.split(path)
        var (place, name) = (0, 0)
        // Only the latest `**` need ever take one more, so that the time is at most the product of the lengths.
        var retry: (place: Int, name: Int)?
        while place < self.names.count {
            if self.names[place] == PathPattern.anyNames {
                place += 1
                retry = (place, name)
            } else if name < path.count, PathPattern.match(self.names[place][...], path[name][...]) {
                place += 1
                name += 1
            } else if let latest = retry, latest.name < path.count {
                retry = (latest.place, latest.name + 1)
                (place, name) = (latest.place, latest.name + 1)
            } else {
                return false
            }
        }
        // What is left of the path lies below a folder that matched.
        return name < path.count || (!self.isBelow && name > 0)
    }

    private static let anyNames = Array("**".utf8)

    private static func split(_ path: String) -> [[UInt8]] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
    }

    /// Whether a name matches, byte by byte.
    private static func match(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var (place, byte) = (pattern.startIndex, name.startIndex)
        var retry: (place: Int, byte: Int)?
        while byte < name.endIndex {
            if place < pattern.endIndex, pattern[place] == UInt8(ascii: "*") {
                place += 1
                retry = (place, byte)
            } else if place < pattern.endIndex, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[byte] {
                place += 1
                byte += 1
            } else if let latest = retry {
                retry = (latest.place, latest.byte + 1)
                (place, byte) = (latest.place, latest.byte + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
