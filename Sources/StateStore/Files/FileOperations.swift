internal import Glibc
internal import Schema

/// The calls that change files, each of which reports its `errno`; a parameter, so that tests can make any one of them
/// fail.
package struct FileOperations: Sendable {
    /// One of those calls.
    package enum Call: String, Sendable, CaseIterable {
        case create
        case write
        case sync
        case rename
        case link
        case remove
        case makeFolder
        case changeMode
    }

    /// Asked before each call: an `errno` to fail with instead, or 0.
    private let fault: @Sendable (Call, _ path: String) -> Int32

    /// The machine's own file system.
    package static let system = FileOperations { _, _ in 0 }

    package init(failing fault: @escaping @Sendable (Call, _ path: String) -> Int32) {
        self.fault = fault
    }

    /// Makes an empty file that nobody else may read, and returns its descriptor. Throws when it is there already.
    func create(_ path: String) throws(FileFailure) -> Int32 {
        var descriptor: Int32 = -1
        try self.perform(.create, path) {
            descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            return descriptor
        }
        return descriptor
    }

    /// Writes all bytes at the descriptor's place.
    func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws(FileFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var count = 0
            try self.perform(.write, path) {
                let chunk = UnsafeRawBufferPointer(rebasing: rest)
                count = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
                if count < 0 && errno == EINTR { count = 0 }
                return count < 0 ? -1 : 0
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes a file with these bytes and returns when the disk has them. Throws when it is there already.
    func write(_ text: String, to path: String) throws(FileFailure) {
        let descriptor = try self.create(path)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(FileFailure) in try self.write(bytes, to: descriptor, path) }
        }
        try outcome.get()
        try self.sync(descriptor, path)
    }

    /// Returns when the disk has what was written to the descriptor.
    func sync(_ descriptor: Int32, _ path: String) throws(FileFailure) {
        try self.perform(.sync, path) { fsync(descriptor) }
    }

    /// Returns when the disk has what is at a path, a folder's entries too.
    func sync(_ path: String) throws(FileFailure) {
        try self.perform(.sync, path) {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return -1 }
            defer { close(descriptor) }
            return fsync(descriptor)
        }
    }

    /// Puts a file in another's place, at once.
    func rename(_ path: String, to target: String) throws(FileFailure) {
        try self.perform(.rename, target) { Glibc.rename(path, target) }
    }

    /// Gives a file a second name. Throws with `EEXIST` when something is called so.
    func link(_ path: String, as target: String) throws(FileFailure) {
        try self.perform(.link, target) { Glibc.link(path, target) }
    }

    /// Takes a file away, if it is there.
    func remove(_ path: String) throws(FileFailure) {
        try self.perform(.remove, path) {
            unlink(path) == 0 || errno == ENOENT ? 0 : -1
        }
    }

    /// Makes a folder that nobody else may enter. Throws with `EEXIST` when something is called so.
    func makeFolder(_ path: String) throws(FileFailure) {
        try self.perform(.makeFolder, path) { mkdir(path, 0o700) }
    }

    func changeMode(_ path: String, to mode: mode_t) throws(FileFailure) {
        try self.perform(.changeMode, path) { chmod(path, mode) }
    }

    private func perform(_ call: Call, _ path: String, _ body: () -> Int32) throws(FileFailure) {
        let injected = self.fault(call, path)
        guard injected == 0 else { throw FileFailure(call: call, path: path, error: injected) }
        guard body() < 0 else { return }
        throw FileFailure(call: call, path: path, error: errno)
    }
}

/// A call that changes files and did not.
struct FileFailure: Error, CustomStringConvertible {
    var call: FileOperations.Call
    var path: String
    /// The `errno`.
    var error: Int32

    var description: String { "\(self.path): \(self.call.rawValue): \(self.reason)" }

    /// What the system says about it.
    var reason: String { String(cString: strerror(self.error)) }
}
