internal import Glibc

/// C copies of strings that live as long as this object.
final class CStrings {
    private var copies: [UnsafeMutablePointer<CChar>] = []

    deinit {
        for copy in self.copies { free(copy) }
    }

    /// A NUL-terminated copy of a string; nil only when there is no memory.
    func copy(_ text: String) -> UnsafePointer<CChar>? {
        guard let copy = strdup(text) else { return nil }
        self.copies.append(copy)
        return UnsafePointer(copy)
    }
}
