internal import Glibc
internal import Schema

/// Writes a new file from front to back.
final class FileWriter {
    private static let bufferSize = 1 << 18

    private let path: String
    private let file: Int32
    private var buffer: [UInt8] = []
    private var isClosed = false
    /// Bytes so far.
    private(set) var count = 0

    /// Throws `IndexNotWritten`.
    init(_ path: String) throws(MartletError) {
        self.path = path
        self.file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard self.file >= 0 else { throw MartletError.unwrittenIndex(path, errno) }
    }

    deinit {
        if !self.isClosed { close(self.file) }
    }

    func write(_ bytes: some Sequence<UInt8>) throws(MartletError) {
        let before = self.buffer.count
        self.buffer.append(contentsOf: bytes)
        self.count += self.buffer.count - before
        if self.buffer.count >= Self.bufferSize { try self.flush() }
    }

    /// Takes the bytes of an array's elements.
    func write<Element: BitwiseCopyable>(elements: [Element]) throws(MartletError) {
        let before = self.buffer.count
        elements.withUnsafeBytes { self.buffer.append(contentsOf: $0) }
        self.count += self.buffer.count - before
        if self.buffer.count >= Self.bufferSize { try self.flush() }
    }

    /// Ends the file; it is on the disk then.
    func finish() throws(MartletError) {
        try self.flush()
        guard fsync(self.file) == 0 else { throw MartletError.unwrittenIndex(self.path, errno) }
        self.isClosed = true
        close(self.file)
    }

    private func flush() throws(MartletError) {
        var start = 0
        while start < self.buffer.count {
            let written = self.buffer.withUnsafeBytes { bytes in
                Glibc.write(self.file, bytes.baseAddress?.advanced(by: start), bytes.count - start)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw MartletError.unwrittenIndex(self.path, errno) }
            start += written
        }
        self.buffer.removeAll(keepingCapacity: true)
    }
}

extension FileWriter {
    /// Has a file that somebody else wrote put on the disk.
    static func sync(_ path: String) throws(MartletError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw MartletError.unwrittenIndex(path, errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw MartletError.unwrittenIndex(path, errno) }
    }
}
