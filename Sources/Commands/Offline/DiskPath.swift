internal import Foundation
internal import Glibc

/// A path as the bytes that the system knows it by: names on disk need not be text.
struct DiskPath: Sendable, Hashable {
    /// Without a closing zero.
    let bytes: [UInt8]

    init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// What stands at a relative path below this folder; the folder itself for an empty one.
    func appending(_ path: [UInt8]) -> DiskPath {
        path.isEmpty ? self : DiskPath(bytes: self.bytes + [UInt8(ascii: "/")] + path)
    }

    /// What stands there, of a link the link itself; nil for nothing.
    func status() -> stat? {
        var status = stat()
        return lstat(self.terminated, &status) == 0 ? status : nil
    }

    /// The names of all that a folder holds, but for itself and the one above; in no order. Throws `POSIXError`.
    func names() throws -> [[UInt8]] {
        guard let folder = opendir(self.terminated) else { throw Self.failure() }
        defer { closedir(folder) }
        var names: [[UInt8]] = []
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Self.failure() }
        return names
    }

    /// A file, opened to be read. Throws `POSIXError`, for everything but plain files too.
    ///
    /// To open a pipe may take for ever, and to open a device may do something: neither is tried, and what takes a
    /// file's place meanwhile is noticed.
    func open() throws -> FileHandle {
        guard let status = self.status() else { throw POSIXError(.ENOENT) }
        guard Self.isFile(status) else { throw POSIXError(.EINVAL) }
        let descriptor = Glibc.open(self.terminated, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure() }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var opened = stat()
        guard fstat(descriptor, &opened) == 0, Self.isFile(opened) else { throw POSIXError(.EINVAL) }
        return file
    }

    private static func isFile(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFREG
    }

    /// All bytes of a file. Throws `POSIXError` and what reading throws.
    func contents() throws -> [UInt8] {
        let file = try self.open()
        defer { try? file.close() }
        return Array(try file.readToEnd() ?? Data())
    }

    /// Where a link leads. Throws `POSIXError`.
    func linkTarget() throws -> [UInt8] {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(self.terminated, &target, target.count)
        guard count >= 0 else { throw Self.failure() }
        return target.prefix(count).map { UInt8(bitPattern: $0) }
    }

    private var terminated: [CChar] {
        self.bytes.map { CChar(bitPattern: $0) } + [0]
    }

    private static func failure() -> POSIXError {
        POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
}
