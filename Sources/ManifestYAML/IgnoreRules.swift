/// Which files a `.martletignore` leaves out, by the rules of gitignore(5).
///
/// Paths are relative to the folder in which the file stands, and are matched byte by byte as git does it.
package struct IgnoreRules: Sendable, Hashable {
    /// One line: what it matches and what that means.
    private struct Rule: Hashable {
        /// The parts between the slashes of the pattern.
        var parts: [Part]
        /// The line begins with `!`: what it matches is taken in again.
        var isNegated: Bool
        /// The line ends in `/`: it matches folders only.
        var isForFolders: Bool
    }

    private enum Part: Hashable {
        /// `**`: any number of folders, none too.
        case anyFolders
        /// One file or folder name.
        case name(IgnoreGlob)
    }

    private var rules: [Rule]

    /// Rules that leave nothing out.
    package static let none = IgnoreRules(parsing: "")

    /// Reads the text of a `.martletignore`; a line that can match nothing is passed over, as git does it.
    package init(parsing text: String) {
        let bytes = Array((text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]).utf8)
        self.rules = bytes.split(separator: UInt8(ascii: "\n")).compactMap { Self.rule($0) }
    }

    /// Says whether a file or folder is left out, by a rule of its own or with a folder above it.
    ///
    /// Nothing below a folder that is left out can be taken in again. Of several rules that match, the last decides.
    package func matches(_ path: String, isFolder: Bool) -> Bool {
        guard !self.rules.isEmpty else { return false }
        let names = path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
        return (0..<names.count).contains { last in
            self.decides(to: names[...last], isFolder: isFolder || last < names.count - 1)
        }
    }

    /// What the rules say of one path, regardless of the folders above it.
    private func decides(to names: ArraySlice<[UInt8]>, isFolder: Bool) -> Bool {
        let rule = self.rules.last { rule in
            (isFolder || !rule.isForFolders) && Self.matches(rule.parts, names)
        }
        return rule.map { !$0.isNegated } ?? false
    }

    private static func matches(_ parts: [Part], _ names: ArraySlice<[UInt8]>) -> Bool {
        IgnoreGlob.match(parts[...], names, isAny: { $0 == .anyFolders }) { part, name in
            switch part {
            case .anyFolders: true
            case .name(let glob): glob.matches(name)
            }
        }
    }
}

// MARK: - Reading

extension IgnoreRules {
    /// Reads one line, or returns nil for a comment and for what can match nothing.
    private static func rule(_ line: ArraySlice<UInt8>) -> Rule? {
        guard line.first != UInt8(ascii: "#") else { return nil }
        var pattern = self.trimmed(line)
        let isNegated = pattern.first == UInt8(ascii: "!")
        if isNegated { pattern = pattern.dropFirst() }
        let isForFolders = pattern.last == UInt8(ascii: "/")
        if isForFolders { pattern = pattern.dropLast() }
        // A pattern with a slash, before its end, says where it matches; one without matches at any depth.
        let isAnchored = pattern.contains(UInt8(ascii: "/"))
        if pattern.first == UInt8(ascii: "/") { pattern = pattern.dropFirst() }
        guard !pattern.isEmpty, let tokens = IgnoreGlob.tokens(of: Array(pattern)) else { return nil }
        let parts = isAnchored ? self.parts(of: tokens) : [.anyFolders, .name(IgnoreGlob(tokens))]
        return Rule(parts: parts, isNegated: isNegated, isForFolders: isForFolders)
    }

    /// Cuts the pattern at its slashes.
    private static func parts(of tokens: [IgnoreGlob.Token]) -> [Part] {
        let names = tokens.split(separator: .byte(UInt8(ascii: "/")), omittingEmptySubsequences: false)
        var parts = names.map { name -> Part in
            name.count >= 2 && name.allSatisfy { $0 == .anyBytes } ? .anyFolders : .name(IgnoreGlob(Array(name)))
        }
        // `folder/**` is everything in the folder, but not the folder itself.
        if parts.last == .anyFolders { parts.append(.name(IgnoreGlob([.anyBytes]))) }
        return parts
    }

    /// Removes the line's end and the spaces before it, except for one after a backslash.
    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        var end = line.startIndex
        var index = line.startIndex
        while index < line.endIndex {
            let isEscape = line[index] == UInt8(ascii: "\\")
            let isSpace = line[index] == UInt8(ascii: " ")
            index = min(index + (isEscape ? 2 : 1), line.endIndex)
            if !isSpace { end = index }
        }
        return line[..<end]
    }
}
