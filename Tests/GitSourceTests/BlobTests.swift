import Foundation
import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// Sizes, contents and exports of blobs, and what damage to them is called.
struct BlobTests {
    let origin: TemporaryRepository
    let repository: GitRepository

    init() throws {
        self.origin = try TemporaryRepository()
        self.repository = try GitRepository(path: self.origin.path)
    }

    private func blob(_ text: String) throws -> ObjectID {
        try self.origin.commit("file", text)
        return try self.origin.id(of: "HEAD:file")
    }

    private func loosePath(of object: ObjectID) -> String {
        ".git/objects/\(object.prefix(2))/\(object.dropFirst(2))"
    }

    /// Writes a loose object that is only a header: what git would write for a blob of `size`, cut off after it.
    private func writeHeader(of object: ObjectID, size: Int64) throws {
        let header = Array("blob \(size)\0".utf8)
        let length = UInt16(header.count)
        let low = [UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
        // A zlib stream whose one block is stored as it is: the length, its complement, the bytes.
        let stream: [UInt8] = [0x78, 0x01, 0x00] + low + low.map { ~$0 } + header
        try self.origin.write(self.loosePath(of: object), bytes: stream)
    }

    @Test("a pack leaves memory when that is given up, and is read again after that")
    func releaseMemory() throws {
        let object = try self.blob("packed")
        try self.origin.git("repack", "-a", "-d", "--quiet")
        let packs = "\(self.origin.path)/.git/objects/pack/"
        for _ in 0..<2 {
            #expect(try self.repository.read(object, limit: 100) == Array("packed".utf8))
            #expect(try Self.openFiles().contains { $0.hasPrefix(packs) })
            self.repository.releaseMemory()
            #expect(try !Self.openFiles().contains { $0.hasPrefix(packs) })
        }
    }

    /// The paths of the files that this process has open.
    private static func openFiles() throws -> [String] {
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return descriptors.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
    }

    @Test("contents are read byte for byte, loose and packed", arguments: [false, true])
    func read(packed: Bool) throws {
        let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try self.origin.write("data.bin", bytes: bytes)
        try self.origin.write("empty", "")
        try self.origin.commit("Add data")
        if packed { try self.origin.git("gc", "--quiet", "--prune=now") }
        let data = try self.origin.id(of: "HEAD:data.bin")
        #expect(try self.repository.size(of: data) == 5_000)
        #expect(try self.repository.read(data, limit: 5_000) == bytes)
        #expect(try self.repository.read(try self.origin.id(of: "HEAD:empty"), limit: 0) == [])
    }

    @Test("a blob beyond the limit is refused before it is read")
    func limit() throws {
        let blob = try self.blob("12345")
        expectError("BlobTooLarge", mentioning: blob, "5 bytes", "4 allowed") {
            try self.repository.read(blob, limit: 4)
        }
    }

    @Test("sizes come from the header: neither 100 MiB nor 3 GiB need be there", arguments: [100 << 20, 3 << 30])
    func sizeFromHeader(size: Int64) throws {
        let object = String(repeating: "ab", count: 20)
        try self.writeHeader(of: object, size: size)
        #expect(try self.repository.size(of: object) == size)
        expectError("BlobTooLarge", mentioning: "\(size) bytes") { try self.repository.read(object, limit: 1_000) }
    }

    @Test("a blob beyond what git can give is refused whatever the limit, with what to do")
    func beyondGit() throws {
        let object = String(repeating: "cd", count: 20)
        try self.writeHeader(of: object, size: 3 << 30)
        expectError("BlobTooLarge", mentioning: "2 GiB", "URI") { try self.repository.read(object, limit: .max) }
        expectError("BlobTooLarge", mentioning: "2 GiB", "URI") {
            try self.repository.export(object, to: self.origin.absolute("out"), limit: .max)
        }
    }

    @Test("a folder or a commit is no blob")
    func notABlob() throws {
        _ = try self.blob("1")
        for revision in ["HEAD", "HEAD^{tree}"] {
            let object = try self.origin.id(of: revision)
            expectError("ObjectNotAFile", mentioning: object) { try self.repository.size(of: object) }
            expectError("ObjectNotAFile", mentioning: object) { try self.repository.read(object, limit: 1_000) }
        }
    }

    @Test("damage is noticed and named", arguments: ["emptied", "overwritten", "swapped"])
    func corrupt(how: String) throws {
        let blob = try self.blob("some content that is long enough to be damaged")
        let path = self.loosePath(of: blob)
        let other = try self.blob("some other content, well formed, under a wrong name")
        let swapped = try Data(contentsOf: URL(fileURLWithPath: self.origin.absolute(self.loosePath(of: other))))
        try self.origin.remove(path)
        switch how {
        case "emptied": try self.origin.write(path, "")
        case "overwritten": try self.origin.write(path, "this is not a zlib stream at all")
        default: try self.origin.write(path, bytes: Array(swapped))
        }
        expectError("ObjectCorrupt", mentioning: blob, "git fsck") { try self.repository.read(blob, limit: 1_000) }
    }

    @Test("an object that is not there is told apart from a damaged one")
    func missing() throws {
        let object = String(repeating: "ef", count: 20)
        expectError("ObjectNotFound", mentioning: object, "shallow") { try self.repository.size(of: object) }
        expectError("ObjectNotFound", mentioning: object) { try self.repository.read(object, limit: 1) }
    }

    @Test("an export is whole, replaces what was there and leaves nothing else behind")
    func export() throws {
        let blob = try self.blob("the weights")
        let folder = try TemporaryRepository()
        let file = folder.absolute("cache/weights.bin")
        try folder.write("cache/weights.bin", "an older and longer content")
        try self.repository.export(blob, to: file, limit: 100)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "the weights")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.absolute("cache")) == ["weights.bin"])
    }

    @Test("an export that fails leaves the old file and nothing else")
    func failedExport() throws {
        let blob = try self.blob("the weights")
        let folder = try TemporaryRepository()
        let file = folder.absolute("cache/weights.bin")
        try folder.write("cache/weights.bin/in-the-way", "a folder where the file should be")
        expectError("FileNotWritten", mentioning: file) { try self.repository.export(blob, to: file, limit: 100) }
        expectError("BlobTooLarge") { try self.repository.export(blob, to: file, limit: 1) }
        expectError("FileNotWritten", mentioning: "No such file") {
            try self.repository.export(blob, to: folder.absolute("nowhere/weights.bin"), limit: 100)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.absolute("cache")) == ["weights.bin"])
    }
}
