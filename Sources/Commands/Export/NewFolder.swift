internal import Foundation
internal import Schema

/// A folder for files that are written whole, whatever happens meanwhile.
///
/// A new folder appears with everything in it, or not at all: files are written beside it, into a hidden folder that takes
/// its name in the end. A folder that is there stays the one that it is, since it may be a mount point or somebody's
/// current folder: files are written into a hidden folder in it and moved. What a killed process leaves there is swept by
/// the next one.
struct NewFolder {
    /// A file to be written, with folders above it as needed.
    typealias File = (path: String, text: String)

    private static let partial = ".martlet-export.partial"

    /// Absolute, links followed.
    let path: String

    init(_ path: String) {
        self.path = URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL.resolvingSymlinksInPath()
            .path(percentEncoded: false).trimmingSuffix("/")
    }

    /// What the folder holds but what a killed process left; nil where there is none. Throws `FolderNotWritten` where
    /// something else stands there.
    func names() throws -> [String]? {
        let place = DiskPath(self.path)
        guard let status = place.status() else { return nil }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw self.failure("it is no folder") }
        do {
            return try place.names().map { String(decoding: $0, as: UTF8.self) }.filter { $0 != Self.partial }.sorted()
        } catch {
            throw self.failure(Self.words(error))
        }
    }

    /// Writes all files. Throws `FolderNotWritten`.
    ///
    /// Into a new folder they come at once. Where the folder is there, each appears whole, in the place of one that may be
    /// there; where there is no room for all of them, nothing has changed.
    func write(_ files: [File]) throws {
        if DiskPath(self.path).status() != nil { return try self.add(files) }
        let url = URL(filePath: self.path)
        let stage = "\(url.deletingLastPathComponent().path)/.\(url.lastPathComponent)\(Self.partial)"
        try self.stage(files, in: stage) { stage in
            guard rename(stage, self.path) == 0 else { throw Self.system() }
        }
    }

    private func add(_ files: [File]) throws {
        try self.stage(files, in: "\(self.path)/\(Self.partial)") { stage in
            // What stands in the way is found before anything changes.
            for file in files { _ = try self.newPart(of: file) }
            // What came with the folder above it is in its place already.
            for file in files where DiskPath("\(stage)/\(file.path)").status() != nil {
                let part = try self.newPart(of: file)
                guard rename("\(stage)/\(part)", "\(self.path)/\(part)") == 0 else { throw Self.system() }
            }
            try FileManager.default.removeItem(atPath: stage)
        }
    }

    /// What has to be moved for a file to be in its place: the first folder on its path that is not there yet, else the
    /// file. Throws where something else stands there.
    private func newPart(of file: File) throws -> String {
        let names = file.path.split(separator: "/")
        for count in names.indices.dropFirst() {
            let folder = names.prefix(count).joined(separator: "/")
            guard DiskPath("\(self.path)/\(folder)").status() != nil else { return folder }
            // Only below a folder, or a link to one, there is this name.
            guard DiskPath("\(self.path)/\(folder)/.").status() != nil else {
                throw self.failure("\(file.path): '\(folder)' is no folder")
            }
        }
        if let status = DiskPath("\(self.path)/\(file.path)").status(), status.st_mode & S_IFMT == S_IFDIR {
            throw self.failure("\(file.path): a folder stands there")
        }
        return file.path
    }

    /// Writes all files below another folder first, and then has them moved.
    private func stage(_ files: [File], in stage: String, _ move: (_ stage: String) throws -> Void) throws {
        do {
            try Self.makeFolder(of: stage)
            let lock = try self.lock(stage)
            defer { close(lock) }
            do {
                for name in try FileManager.default.contentsOfDirectory(atPath: stage) {
                    try FileManager.default.removeItem(atPath: "\(stage)/\(name)")
                }
                for file in files {
                    let path = "\(stage)/\(file.path)"
                    try Self.makeFolder(of: path)
                    try Self.write(file.text, to: path)
                }
                try move(stage)
            } catch {
                try? FileManager.default.removeItem(atPath: stage)
                throw error
            }
        } catch let error as MartletError {
            throw error
        } catch {
            throw self.failure(Self.words(error))
        }
    }

    /// Makes a folder for this process alone, until the descriptor is closed.
    private func lock(_ folder: String) throws -> Int32 {
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw Self.system() }
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.system() }
        var (mine, there) = (stat(), stat())
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &mine) == 0, lstat(folder, &there) == 0,
            mine.st_ino == there.st_ino, mine.st_dev == there.st_dev
        else {
            close(descriptor)
            throw self.failure("another process writes there")
        }
        return descriptor
    }

    /// Writes a file to the disk itself: what was put off might find no room.
    private static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.system() }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(text.utf8))
        guard fsync(descriptor) == 0 else { throw Self.system() }
        try file.close()
    }

    private static func makeFolder(of path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func failure(_ why: String) -> MartletError {
        MartletError("FolderNotWritten", "'\(self.path)' cannot be written: \(why)")
    }

    private static func system() -> POSIXError {
        POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }

    /// What the system says, without the layers around it.
    private static func words(_ error: any Error) -> String {
        if let error = error as? POSIXError { return String(cString: strerror(error.code.rawValue)) }
        let error = error as NSError
        guard let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError else { return error.localizedDescription }
        return cause.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(cause.code))) : Self.words(cause)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        self.count > suffix.count && self.hasSuffix(suffix) ? String(self.dropLast(suffix.count)) : self
    }
}
