internal import Glibc
internal import Planning
internal import Schema

/// Reads and copies files in pieces, and hashes them on the way.
enum VerifiedFile {
    /// In bytes.
    private static let pieceSize = 1 << 20

    /// The hash of a file's content. Throws `ArtifactMissing` or `ArtifactUnreadable`.
    static func hash(_ path: String, as content: CachedContent, stop: StopFlag) throws -> String {
        let source = try SourceFile(path)
        var hasher = content.hasher(size: source.size)
        try self.read(source, stop: stop) { hasher.update($0) }
        return hasher.finish()
    }

    /// Copies a file to where it appears whole, with the right content, or not at all.
    ///
    /// Throws `DigestMismatch`, `ArtifactMissing`, `ArtifactUnreadable` or `FileNotWritten`.
    static func copy(
        _ path: String,
        to target: String,
        as content: CachedContent,
        stop: StopFlag,
        _ files: FileOperations
    ) throws {
        let source = try SourceFile(path)
        let unfinished = "\(target).\(String(UInt64.random(in: .min ... .max), radix: 36)).unfinished"
        let descriptor = try self.writing(target) { () throws(FileFailure) in try files.create(unfinished) }
        // After the rename there is nothing left to remove.
        defer { unlink(unfinished) }
        defer { close(descriptor) }

        var hasher = content.hasher(size: source.size)
        try self.read(source, stop: stop) { piece in
            hasher.update(piece)
            try self.writing(target) { () throws(FileFailure) in try files.write(piece, to: descriptor, unfinished) }
        }
        let hash = hasher.finish()
        guard hash == content.hash else {
            throw MartletError(
                "DigestMismatch",
                "'\(path)' has the SHA-256 \(hash), and the manifest says \(content.hash): put the right file there, or "
                    + "mend the manifest"
            )
        }
        try self.writing(target) { () throws(FileFailure) in
            try files.changeMode(unfinished, to: 0o400)
            try files.sync(descriptor, unfinished)
            try files.rename(unfinished, to: target)
        }
    }

    /// Translates what file operations report.
    static func writing<Result>(_ path: String, _ body: () throws(FileFailure) -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw MartletError(
                "FileNotWritten",
                "'\(path)' cannot be written: \(error.reason)",
                disposition: .retryable
            )
        }
    }

    private static func read(
        _ source: SourceFile,
        stop: StopFlag,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: self.pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            try stop.check()
            let count = Glibc.read(source.descriptor, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SourceFile.failure(source.path, errno) }
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

/// An ordinary file that is open for reading; closed with the last reference.
private final class SourceFile {
    let path: String
    let descriptor: Int32
    /// In bytes, when it was opened.
    let size: Int64

    init(_ path: String) throws {
        self.path = path
        // Without O_NONBLOCK opening a pipe would wait for somebody to write to it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        let error = errno
        var status = stat()
        self.descriptor = descriptor
        self.size = descriptor >= 0 && fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
        guard descriptor >= 0 else { throw Self.failure(path, error) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw MartletError("ArtifactUnreadable", "artifact '\(path)' is not a file: name the model's file itself")
        }
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    static func failure(_ path: String, _ error: Int32) -> MartletError {
        guard error == ENOENT || error == ENOTDIR else {
            return MartletError(
                "ArtifactUnreadable",
                "artifact '\(path)' cannot be read: \(String(cString: strerror(error)))",
                disposition: .retryable
            )
        }
        return MartletError(
            "ArtifactMissing",
            "artifact '\(path)' does not exist: put the file there, or mend the manifest",
            disposition: .retryable
        )
    }
}
