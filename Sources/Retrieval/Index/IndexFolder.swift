internal import Foundation
internal import Glibc
internal import Planning
internal import Schema

/// What an index folder says of itself, in `index.json`: written last, so that a folder without it is no index.
struct IndexNote: Codable, Hashable {
    /// Another form is not read, but made again.
    static let currentForm = 1

    var form = IndexNote.currentForm
    /// Of all that the index was made of.
    var content: Digest
    /// Pieces, or rows.
    var count: Int
    /// What there is to know of its vectors; nil where there are none.
    var vectors: VectorNote?
    /// Of rows: every column that any has.
    var columns: [String]?
    /// SHA-256 of each file, by its name.
    var files: [String: String] = [:]
}

/// What there is to know of the vectors of an index.
struct VectorNote: Codable, Hashable {
    /// Floats of one.
    var width: Int
    /// The model's instance that made them.
    var embedding: InstanceKey
    /// Whether they were brought to length 1.
    var isUnit: Bool
    /// The length of the longest one.
    var longest: Float
    /// The largest number in any of them, without its sign.
    var largest: Float
}

/// The folder of one index. It appears whole or not at all.
struct IndexFolder: Sendable {
    static let noteName = "index.json"
    /// What the name of a folder ends with that is being filled.
    static let unfinished = ".unfinished"
    private static let hashedAtOnce = 1 << 22

    let path: String

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    /// Reads the note and compares every file with it; nil where there is no such folder. Throws `IndexUnreadable`
    /// where it is not what was written.
    func verify(_ stop: StopFlag) throws -> IndexNote? {
        guard let note = self.note else {
            guard access(self.path, F_OK) == 0 else { return nil }
            throw MartletError.unreadableIndex(self.file(Self.noteName), "it is not there, or of another version")
        }
        for (name, digest) in note.files where try Self.digest(of: self.file(name), stop) != digest {
            throw MartletError.unreadableIndex(self.file(name), "it has changed since it was written")
        }
        return note
    }

    /// The note as it stands; nil where there is none that can be read.
    var note: IndexNote? {
        guard let data = FileManager.default.contents(atPath: self.file(Self.noteName)),
            let note = try? JSONDecoder().decode(IndexNote.self, from: data), note.form == IndexNote.currentForm
        else { return nil }
        return note
    }

    /// Makes the folder by filling one beside it, which takes its place once it is whole.
    func make(_ fill: (_ draft: IndexFolder) async throws -> IndexNote) async throws {
        let draft = IndexFolder(path: self.path + Self.unfinished)
        draft.remove()
        do {
            try FileManager.default.createDirectory(atPath: draft.path, withIntermediateDirectories: true)
        } catch {
            throw MartletError.unwrittenIndex(draft.path, "\(error)")
        }
        do {
            let note = try await fill(draft)
            try await BlockingWork.run { stop in try draft.finish(note, stop) }
            try Task.checkCancellation()
            self.remove()
            guard rename(draft.path, self.path) == 0 else { throw MartletError.unwrittenIndex(self.path, errno) }
        } catch {
            draft.remove()
            throw error
        }
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    private func finish(_ note: IndexNote, _ stop: StopFlag) throws {
        var note = note
        for name in try FileManager.default.contentsOfDirectory(atPath: self.path) {
            note.files[name] = try Self.digest(of: self.file(name), stop)
        }
        let writer = try FileWriter(self.file(Self.noteName))
        try writer.write(try JSONEncoder().encode(note))
        try writer.finish()
    }

    private static func digest(of file: String, _ stop: StopFlag) throws -> String {
        try MappedFile(file).withBytes { bytes in
            var hasher = ContentHasher.sha256()
            var start = 0
            while start < bytes.count {
                try stop.check()
                let end = min(start + self.hashedAtOnce, bytes.count)
                hasher.update(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
            return hasher.finish()
        }
    }
}
