internal import Glibc
internal import Schema

/// A file that is read as memory; it stays readable when somebody removes it.
final class MappedFile: Sendable {
    private nonisolated(unsafe) let base: UnsafeRawPointer?  // It is mapped for reading alone, until the object ends.
    let count: Int

    /// Throws `IndexUnreadable`.
    init(_ path: String) throws(MartletError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw MartletError.unreadableIndex(path, errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw MartletError.unreadableIndex(path, errno) }
        self.count = Int(status.st_size)
        guard self.count > 0 else {
            self.base = nil
            return
        }
        guard let base = mmap(nil, self.count, PROT_READ, MAP_PRIVATE, file, 0), base != MAP_FAILED else {
            throw MartletError.unreadableIndex(path, errno)
        }
        self.base = UnsafeRawPointer(base)
    }

    deinit {
        if let base = self.base { munmap(UnsafeMutableRawPointer(mutating: base), self.count) }
    }

    /// Looks at the bytes.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: self.base, count: self.count))
    }
}

extension MartletError {
    /// A file of an index cannot be read, or is not what was written.
    static func unreadableIndex(_ path: String, _ reason: String) -> MartletError {
        MartletError(
            "IndexUnreadable",
            "the index file \(path) cannot be read (\(reason)); remove its folder, and it is made again",
            disposition: .retryable
        )
    }

    static func unreadableIndex(_ path: String, _ number: Int32) -> MartletError {
        .unreadableIndex(path, String(cString: strerror(number)))
    }

    /// A file of an index cannot be written.
    static func unwrittenIndex(_ path: String, _ reason: String) -> MartletError {
        MartletError(
            "IndexNotWritten",
            "\(path) cannot be written (\(reason)); make room, or mend the folder's permissions",
            disposition: .retryable
        )
    }

    static func unwrittenIndex(_ path: String, _ number: Int32) -> MartletError {
        .unwrittenIndex(path, String(cString: strerror(number)))
    }
}
