internal import Foundation

/// A path by which one file of manifests is told from all others, also where paths are compared as strings.
///
/// Strings are equal when their composed forms (NFC) are, and bytes that are no text all read as U+FFFD. So a path that
/// is not composed, or not text, gets a stand-in: it may look the same as the path of another file.
struct PlainPath {
    let text: String
    /// Whether that is the path itself.
    let isOwn: Bool

    /// How stand-ins end, and no path of git's.
    private static let mark = "/."

    init(of path: String) {
        self.isOwn =
            path.utf8.allSatisfy { $0 < 0x80 }
            || (!path.unicodeScalars.contains("\u{FFFD}")
                && path.precomposedStringWithCanonicalMapping.utf8.elementsEqual(path.utf8))
        self.text =
            self.isOwn
            ? path : path.unicodeScalars.map { $0.isASCII ? "\($0)" : $0.escaped(asASCII: true) }.joined() + Self.mark
    }

    static func isStandIn(_ path: String) -> Bool {
        path.hasSuffix(Self.mark)
    }
}
