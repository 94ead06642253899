internal import Foundation
internal import Glibc

/// Looks for damage in the log of an SQLite database, which SQLite itself takes for the end of the log.
///
/// SQLite reads a log up to the first frame whose checksum is wrong, and forgets the rest: right after lost power, which
/// may tear the transaction that was being written, and wrong when older transactions went bad, since those were
/// promised. Format: "WAL-mode File Format", sqlite.org/walformat.html.
enum WriteAheadLog {
    private static let headerSize = 32
    private static let frameHeaderSize = 24

    /// What is wrong with the log at a path, or nil: it is missing, sound, or torn in its last transaction only.
    static func damage(at path: String) throws -> String? {
        guard let log = try? Data(contentsOf: URL(filePath: path), options: .alwaysMapped), !log.isEmpty else {
            return nil
        }
        return log.withUnsafeBytes { self.damage(in: $0) }
    }

    static func damage(in log: UnsafeRawBufferPointer) -> String? {
        // A log that is shorter than its header was being begun: it holds nothing yet.
        guard log.count >= self.headerSize else { return nil }
        guard let header = Header(log) else {
            return log.count == self.headerSize ? nil : "the beginning of its log '-wal' is not what was written there"
        }
        let frameSize = self.frameHeaderSize + header.pageSize
        var sum = header.sum
        var offset = self.headerSize
        while offset + frameSize <= log.count {
            let frame = UnsafeRawBufferPointer(rebasing: log[offset..<offset + frameSize])
            guard header.isSalted(frame) else { return nil }
            sum.add(UnsafeRawBufferPointer(rebasing: frame[..<8]), bigEndian: header.isBigEndian)
            sum.add(
                UnsafeRawBufferPointer(rebasing: frame[self.frameHeaderSize...]),
                bigEndian: header.isBigEndian
            )
            guard sum.isStored(in: frame, at: 16) else { break }
            offset += frameSize
        }
        // Each transaction is on the disk before the next begins: one may be torn, two were damaged later.
        let commits = stride(from: offset, through: log.count - frameSize, by: frameSize).count { place in
            let frame = UnsafeRawBufferPointer(rebasing: log[place..<place + frameSize])
            return header.isSalted(frame) && frame.bigEndian(at: 4) != 0
        }
        return commits < 2
            ? nil : "its log '-wal' is damaged at byte \(offset): \(commits) transactions after it are lost"
    }

    /// The log's own header.
    private struct Header {
        var isBigEndian: Bool
        var pageSize: Int
        var salt: (UInt32, UInt32)
        var sum: Checksum

        /// Nil when this is not the beginning of a log.
        init?(_ log: UnsafeRawBufferPointer) {
            let magic = log.bigEndian(at: 0)
            guard magic & ~1 == 0x377F_0682 else { return nil }
            self.isBigEndian = magic & 1 == 1
            self.pageSize = Int(log.bigEndian(at: 8))
            guard (512...65_536).contains(self.pageSize), self.pageSize.nonzeroBitCount == 1 else { return nil }
            self.salt = (log.bigEndian(at: 16), log.bigEndian(at: 20))
            self.sum = Checksum()
            self.sum.add(UnsafeRawBufferPointer(rebasing: log[..<24]), bigEndian: self.isBigEndian)
            guard self.sum.isStored(in: log, at: 24) else { return nil }
        }

        /// Whether a frame is of this log's present round, and not a leftover of an earlier one.
        func isSalted(_ frame: UnsafeRawBufferPointer) -> Bool {
            frame.bigEndian(at: 8) == self.salt.0 && frame.bigEndian(at: 12) == self.salt.1
        }
    }

    /// The log's running checksum, a Fibonacci-weighted one.
    private struct Checksum {
        var first: UInt32 = 0
        var second: UInt32 = 0

        mutating func add(_ bytes: UnsafeRawBufferPointer, bigEndian: Bool) {
            for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
                let words = (
                    bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self),
                    bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                )
                self.first &+= (bigEndian ? UInt32(bigEndian: words.0) : UInt32(littleEndian: words.0)) &+ self.second
                self.second &+= (bigEndian ? UInt32(bigEndian: words.1) : UInt32(littleEndian: words.1)) &+ self.first
            }
        }

        func isStored(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
            bytes.bigEndian(at: offset) == self.first && bytes.bigEndian(at: offset + 4) == self.second
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func bigEndian(at offset: Int) -> UInt32 {
        UInt32(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
