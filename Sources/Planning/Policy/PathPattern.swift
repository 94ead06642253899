/// A pattern of repository paths: `production/**`, `*.yaml`, `models/*/card.md`.
///
/// As in `.gitignore`: a pattern with a `/` inside begins at the root, one without matches at any depth, and what
/// matches a folder matches everything below it. `*` and `?` stay within one name, `**` stands for any number of them.
package struct PathPattern: Sendable, Hashable {
    private let names: [String]
    /// Whether only what lies below a match counts: `a/**` is not `a` itself.
    private let isBelow: Bool

    package init(_ text: String) {
        let isFolder = text.hasSuffix("/")
        var names = (isFolder ? text.dropLast() : text[...]).split(separator: "/").map(String.init)
        if names.count == 1 { names.insert("**", at: 0) }
        self.isBelow = isFolder || names.last == "**"
        while names.last == "**" { names.removeLast() }
        self.names = names
    }

    /// Whether the pattern matches the path, or a folder that holds it.
    package func matches(_ path: String) -> Bool {
        let path = path.split(separator: "/")
        var (place, name) = (0, 0)
        // Only the latest `**` need ever take one more, so that the time is at most the product of the lengths.
        var retry: (place: Int, name: Int)?
        while place < self.names.count {
            if self.names[place] == "**" {
                place += 1
                retry = (place, name)
            } else if name < path.count, PathPattern.match(self.names[place], path[name]) {
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

    private static func match(_ pattern: String, _ name: Substring) -> Bool {
        self.match(Array(pattern.utf8)[...], Array(name.utf8)[...])
    }

    /// As above, byte by byte.
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
