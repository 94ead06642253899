import Foundation
import GRDBSQLite
import Synchronization
import Testing

/// An SQLite file layer over the system's own, in which one write, sync or truncation fails where a test wants it to.
///
/// It is the process's default layer once a test has asked for it, and lets everything through but for folders that a
/// test has named.
final class FaultyDisk: Sendable {
    /// What fails, and how SQLite is told.
    enum Fault: String, CaseIterable, CustomTestStringConvertible {
        case fullDisk
        case brokenDisk

        var testDescription: String { self.rawValue }

        fileprivate var write: Int32 { self == .fullDisk ? SQLITE_FULL : SQLITE_IOERR | (3 << 8) }
        fileprivate var sync: Int32 { self == .fullDisk ? SQLITE_FULL : SQLITE_IOERR | (4 << 8) }
        fileprivate var truncate: Int32 { self == .fullDisk ? SQLITE_FULL : SQLITE_IOERR | (6 << 8) }
    }

    private let folder: String

    /// Watches over the files of a folder, until the last reference goes.
    init(_ folder: String) {
        _ = FaultyLayer.registered
        self.folder = folder
        FaultyLayer.folders.withLock { $0[folder] = FaultyLayer.Folder() }
    }

    deinit {
        FaultyLayer.folders.withLock { _ = $0.removeValue(forKey: self.folder) }
    }

    /// Lets the n-th call from now on, counted from 1, fail once.
    func fail(_ number: Int, with fault: Fault) {
        FaultyLayer.folders.withLock { $0[self.folder]?.next = (number, fault) }
    }

    /// Whether the call that was to fail has come.
    var hasFailed: Bool {
        FaultyLayer.folders.withLock { $0[self.folder]?.next == nil }
    }
}

/// The C side: SQLite keeps pointers to it for as long as the process lives.
private enum FaultyLayer {
    struct Folder {
        var next: (number: Int, fault: FaultyDisk.Fault)?

        /// Counts one call, and gives the fault that it meets.
        mutating func count() -> FaultyDisk.Fault? {
            guard let (number, fault) = self.next else { return nil }
            self.next = number > 1 ? (number - 1, fault) : nil
            return number > 1 ? nil : fault
        }
    }

    static let folders = Mutex<[String: Folder]>([:])
    /// By the address of its `sqlite3_file`, the folder that an open file is in.
    static let openFiles = Mutex<[UInt: String]>([:])
    // Each is written once, before SQLite can call anything here.
    nonisolated(unsafe) static var base: UnsafeMutablePointer<sqlite3_vfs>?  // Written once.
    nonisolated(unsafe) static var baseMethods: UnsafePointer<sqlite3_io_methods>?  // Written once.
    nonisolated(unsafe) static let methods = FaultyLayer.table()  // Written once.

    private static func table() -> UnsafeMutablePointer<sqlite3_io_methods> { .allocate(capacity: 1) }

    static let registered: Bool = {
        guard let base = sqlite3_vfs_find(nil) else { return false }
        FaultyLayer.base = base
        let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        layer.initialize(to: base.pointee)
        layer.pointee.zName = UnsafePointer(strdup("faulty"))
        layer.pointee.xOpen = { _, name, file, flags, outFlags in
            guard let base = FaultyLayer.base, let file else { return SQLITE_CANTOPEN }
            let outcome = base.pointee.xOpen(base, name, file, flags, outFlags)
            if outcome == SQLITE_OK, let name { FaultyLayer.watch(file, String(cString: name)) }
            return outcome
        }
        return sqlite3_vfs_register(layer, 1) == SQLITE_OK
    }()

    private static let setUp = Mutex(false)

    private static func watch(_ file: UnsafeMutablePointer<sqlite3_file>, _ name: String) {
        guard let folder = self.folders.withLock({ $0.keys.first { name.hasPrefix($0 + "/") } }),
            let original = file.pointee.pMethods
        else { return }
        self.setUp.withLock { isDone in
            guard !isDone else { return }
            isDone = true
            self.baseMethods = original
            self.methods.initialize(to: original.pointee)
            self.methods.pointee.xWrite = { file, bytes, count, offset in
                if let fault = FaultyLayer.count(file) { return fault.write }
                return FaultyLayer.baseMethods?.pointee.xWrite(file, bytes, count, offset) ?? SQLITE_IOERR
            }
            self.methods.pointee.xSync = { file, flags in
                if let fault = FaultyLayer.count(file) { return fault.sync }
                return FaultyLayer.baseMethods?.pointee.xSync(file, flags) ?? SQLITE_IOERR
            }
            self.methods.pointee.xTruncate = { file, size in
                if let fault = FaultyLayer.count(file) { return fault.truncate }
                return FaultyLayer.baseMethods?.pointee.xTruncate(file, size) ?? SQLITE_IOERR
            }
            self.methods.pointee.xClose = { file in
                FaultyLayer.openFiles.withLock { _ = $0.removeValue(forKey: UInt(bitPattern: file)) }
                return FaultyLayer.baseMethods?.pointee.xClose(file) ?? SQLITE_IOERR
            }
        }
        guard original == self.baseMethods else { return }
        self.openFiles.withLock { $0[UInt(bitPattern: file)] = folder }
        file.pointee.pMethods = UnsafePointer(self.methods)
    }

    private static func count(_ file: UnsafeMutablePointer<sqlite3_file>?) -> FaultyDisk.Fault? {
        guard let folder = self.openFiles.withLock({ $0[UInt(bitPattern: file)] }) else { return nil }
        return self.folders.withLock { $0[folder]?.count() }
    }
}
