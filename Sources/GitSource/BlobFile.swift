internal import Glibc
internal import Schema

/// A file that appears whole or not at all.
///
/// The bytes go to a new file beside it, to the disk, and then to its name by one rename, so that a reader never sees
/// half a file, not even after a power cut.
struct BlobFile {
    let path: String

    /// Writes the file, replacing one that is there; the folder must exist. Throws `FileNotWritten`.
    func write(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
        let unfinished = "\(self.path).\(String(UInt64.random(in: .min ... .max), radix: 36)).unfinished"
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw self.failure(errno) }
        let isWritten = Self.writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
        let writeError = errno
        close(descriptor)
        guard isWritten, rename(unfinished, self.path) == 0 else {
            let error = isWritten ? errno : writeError
            unlink(unfinished)
            throw self.failure(error)
        }
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private func failure(_ error: Int32) -> MartletError {
        MartletError(
            "FileNotWritten",
            "'\(self.path)' cannot be written: \(String(cString: strerror(error)))",
            disposition: .retryable
        )
    }
}
