/// A place in a document; lines and columns count from 1, columns in characters as Unicode code points.
package struct YAMLMark: Sendable, Hashable, Comparable {
    package var line: Int
    package var column: Int
    /// The file that the place is in, where a patch brought a value from another one.
    package var path: String?

    package init(line: Int, column: Int, path: String? = nil) {
        self.line = line
        self.column = column
        self.path = path
    }

    package static func < (lhs: YAMLMark, rhs: YAMLMark) -> Bool {
        (lhs.line, lhs.column) < (rhs.line, rhs.column)
    }
}

/// A value of a YAML document and the place where it stands.
///
/// Aliases are replaced by what they stand for; the parts are shared, so that a thousand aliases cost a thousand words
/// and no copies.
package struct YAMLNode: Sendable {
    package enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping(YAMLMapping)
        /// Something that was reported already and says nothing.
        case invalid
    }

    package var content: Content
    package var mark: YAMLMark

    package init(_ content: Content, at mark: YAMLMark) {
        self.content = content
        self.mark = mark
    }

    /// The value of a mapping's key, or nil when there is none; of duplicate keys, the first.
    package subscript(_ key: String) -> YAMLNode? {
        guard case .mapping(let mapping) = self.content else { return nil }
        return mapping[key]?.value
    }

    /// The scalar, if this is one.
    package var scalar: YAMLScalar? {
        guard case .scalar(let scalar) = self.content else { return nil }
        return scalar
    }
}

/// The text of a scalar; what it means is for the reader of a field to say.
package struct YAMLScalar: Sendable, Hashable {
    package var text: String
    /// Whether it stands there without quotes and without a tag, so that it may be a number, a truth value or null.
    package var isPlain: Bool

    package init(text: String, isPlain: Bool) {
        self.text = text
        self.isPlain = isPlain
    }

    /// Whether it is nothing, or `~` or `null` without quotes.
    var isNull: Bool { self.isPlain && self.text.utf8.count <= 4 && self.core == .null }
}

/// The entries of a mapping in the order in which they stand, merged ones last.
package struct YAMLMapping: Sendable {
    package struct Entry: Sendable {
        package var key: String
        package var keyMark: YAMLMark
        package var value: YAMLNode
        /// Whether it came through a merge key.
        package var isMerged: Bool
    }

    /// Duplicate keys are all here; the reader of the mapping reports them.
    package var entries: [Entry]
    /// Where the first key stands, a merge key too; the mapping's own place when it is empty.
    package var firstKey: YAMLMark

    /// The first entry with a key, or nil when there is none.
    subscript(_ key: String) -> Entry? { self.entries.first { $0.key == key } }
}
