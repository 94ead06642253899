internal import Foundation
internal import Glibc

/// What the file system says about a repository's refs, without reading them: equal when none has moved.
struct RefFingerprint: Hashable, Sendable {
    private struct Stamp: Hashable {
        var inode: UInt64
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private var stamps: [String: Stamp] = [:]

    /// Looks at HEAD, the packed refs and all loose refs, and calls `enter` with each folder before it is read.
    init(gitDirectory: String, commonDirectory: String, enter: (_ folder: String) -> Void) {
        self.add(gitDirectory + "HEAD")
        self.add(commonDirectory + "packed-refs")
        self.addFolder(commonDirectory + "refs", enter: enter)
    }

    private mutating func addFolder(_ folder: String, enter: (String) -> Void) {
        enter(folder)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard !name.hasSuffix(".lock") else { continue }
            let path = "\(folder)/\(name)"
            if self.add(path) { self.addFolder(path, enter: enter) }
        }
    }

    /// Adds what stands at a path, if anything does, and says whether it is a folder; of those only the files count.
    @discardableResult
    private mutating func add(_ path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return false }
        guard status.st_mode & S_IFMT != S_IFDIR else { return true }
        self.stamps[path] = Stamp(
            inode: UInt64(status.st_ino),
            size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec
        )
        return false
    }
}
