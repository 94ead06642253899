internal import Foundation
internal import Planning
internal import Schema

/// Keeps on disk what earlier runs of the offline verbs found sound.
///
/// It never fails: what cannot be read is not there, and what cannot be written is not kept. Files are named by
/// everything that decides how manifests are read, so that another version or other options find nothing here; their
/// content is known by the ids of git, and a digest shows what was cut off or changed.
struct ManifestCache: Sendable {
    /// As many states are kept, the latest ones.
    static let mostFiles = 32
    /// In bytes, of all files together.
    static let mostBytes = 256 << 20
    /// How many states of other repositories are tried where there is none of this one.
    private static let mostGuesses = 3
    private static let magic = Array("martlet manifests 4\n".utf8)

    let folder: String
    /// Of what manifests are read with; a prefix of the files' names.
    private let options: String
    /// Of where the repository is: which of the files is tried first.
    private let place: String

    /// Makes the cache of one repository.
    ///
    /// - Parameters:
    ///   - options: Everything beside the files that decides what is found in them.
    ///   - root: Where the repository is: the latest state of the same place is tried first.
    init(folder: String, options: JSONValue, root: String) {
        self.folder = folder
        self.options = String(Digest(canonical: options).hex.prefix(32))
        self.place = Digest(of: root.utf8).short
    }

    /// `$MARTLET_CACHE/manifests`, else the same in the user's folder for caches; nil where there is none, or where the
    /// variable is empty.
    static func folder(environment: [String: String]) -> String? {
        if let own = environment["MARTLET_CACHE"] { return own.isEmpty ? nil : "\(own)/manifests" }
        if let caches = environment["XDG_CACHE_HOME"], !caches.isEmpty { return "\(caches)/martlet/manifests" }
        return environment["HOME"].flatMap { $0.isEmpty ? nil : "\($0)/.cache/martlet/manifests" }
    }

    /// The states that are kept, the most likely one first.
    var candidates: some Sequence<CheckedManifests> {
        let own = self.name
        let others = self.listing().filter { $0.name.hasPrefix(self.options) && $0.name != own }
        let names = [own] + others.sorted { $0.modified > $1.modified }.prefix(Self.mostGuesses).map(\.name)
        return names.lazy.compactMap { self.read($0) }
    }

    /// Keeps a state in the place of the one before.
    func write(_ manifests: CheckedManifests) {
        let payload = manifests.bytes
        let header = Self.magic + Array(self.options.utf8) + Array(Digest(of: payload).hex.utf8)
        guard header.count + payload.count <= Self.mostBytes / 4 else { return }
        let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        try? FileManager.default.createDirectory(
            atPath: self.folder,
            withIntermediateDirectories: true,
            attributes: mode
        )
        let temporary = "\(self.folder)/.\(UUID().uuidString)"
        let file = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        let isWritten = (try? handle.write(contentsOf: Data(header + payload))) != nil && (try? handle.close()) != nil
        guard isWritten, rename(temporary, "\(self.folder)/\(self.name)") == 0 else {
            unlink(temporary)
            return
        }
        self.prune()
    }

    private var name: String { "\(self.options)-\(self.place)" }

    private func read(_ name: String) -> CheckedManifests? {
        let file = open("\(self.folder)/\(name)", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        var status = stat()
        // What somebody else can write, somebody else may have written.
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
            status.st_mode & (S_IWGRP | S_IWOTH) == 0, status.st_size <= Self.mostBytes / 4,
            let data = try? handle.readToEnd()
        else { return nil }
        let start = Self.magic.count + 32 + 64
        guard data.count >= start, data.starts(with: Self.magic),
            data.dropFirst(Self.magic.count).starts(with: self.options.utf8)
        else { return nil }
        let payload = [UInt8](data.dropFirst(start))
        guard data.dropFirst(Self.magic.count + 32).starts(with: Digest(of: payload).hex.utf8) else { return nil }
        return CheckedManifests(bytes: payload)
    }

    private typealias Kept = (name: String, modified: Double, size: Int)

    private func listing() -> [Kept] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []
        return names.compactMap { name in
            var status = stat()
            guard lstat("\(self.folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            let modified = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
            return (name, modified, Int(status.st_size))
        }
    }

    /// Removes the oldest states until the rest is small enough, and what a killed process left half-written.
    private func prune() {
        var (count, bytes) = (0, 0)
        for kept in self.listing().sorted(by: { $0.modified > $1.modified }) {
            count += 1
            bytes += kept.size
            if count > Self.mostFiles || bytes > Self.mostBytes { unlink("\(self.folder)/\(kept.name)") }
        }
    }
}
