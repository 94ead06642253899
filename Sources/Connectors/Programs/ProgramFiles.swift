internal import Foundation
internal import Glibc
internal import Planning
internal import Schema

/// The files of programs as folders that nobody changes, named by what is in them.
struct ProgramFiles: Sendable {
    private let folder: String
    private let repository: any SourceRepository

    /// - Parameter folder: Private to this process; made when it is needed.
    init(folder: String, repository: any SourceRepository) {
        self.folder = folder
        self.repository = repository
    }

    /// An empty folder for sandboxes to build upon.
    var root: String { "\(self.folder)/root" }

    func path(of program: RevisionGraph.Program) -> String { "\(self.folder)/\(program.contentDigest.hex)" }

    /// Writes a program's files, unless they are there: they appear all at once. Blocks.
    ///
    /// Throws `ProgramInvalid`, `FileNotWritten`, and what the repository throws.
    func materialise(_ program: RevisionGraph.Program) throws {
        let place = self.path(of: program)
        let files = FileManager.default
        guard !files.fileExists(atPath: place) else { return }
        let draft = "\(place).\(UInt32.random(in: 0 ... .max)).unfinished"
        do {
            try files.createDirectory(
                atPath: self.root,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            chmod(self.folder, 0o700)
            try files.createDirectory(atPath: draft, withIntermediateDirectories: false)
            for file in program.files.files { try self.write(file, in: draft) }
            self.close(draft)
            // Somebody may have been faster; then theirs is as good.
            if rename(draft, place) != 0 { self.remove(draft) }
        } catch let error as MartletError {
            self.remove(draft)
            throw error
        } catch {
            self.remove(draft)
            throw MartletError("FileNotWritten", "the files of \(program.words) cannot be written: \(error)")
        }
    }

    private func write(_ file: FoundFiles.File, in folder: String) throws {
        let names = file.path.split(separator: "/", omittingEmptySubsequences: false)
        guard !names.isEmpty, names.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw MartletError("ProgramInvalid", "'\(file.path)' is no path of a file in a folder")
        }
        guard case .repository(_, let blob) = file.artifact.location else {
            throw MartletError("ProgramInvalid", "'\(file.artifact.path)' is not in the repository")
        }
        let path = "\(folder)/\(file.path)"
        let parent = names.dropLast().reduce(folder) { "\($0)/\($1)" }
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try self.repository.export(blob, to: path, limit: file.artifact.size ?? RevisionGraph.Program.sizeLimit)
        chmod(path, 0o555)
    }

    /// Takes away the right to write from all folders of a tree.
    private func close(_ folder: String) {
        let names = FileManager.default.enumerator(atPath: folder)
        while let name = names?.nextObject() as? String {
            if names?.fileAttributes?[.type] as? FileAttributeType == .typeDirectory {
                chmod("\(folder)/\(name)", 0o555)
            }
        }
        chmod(folder, 0o555)
    }

    /// Removes all programs but some, and what was left unfinished. Blocks.
    func prune(keeping digests: Set<Digest>) {
        let kept = Set(digests.map(\.hex))
        for name in (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? [] {
            guard name != "root", !kept.contains(name) else { continue }
            self.remove("\(self.folder)/\(name)")
        }
    }

    private func remove(_ folder: String) {
        chmod(folder, 0o700)
        let names = FileManager.default.enumerator(atPath: folder)
        while let name = names?.nextObject() as? String { chmod("\(folder)/\(name)", 0o700) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// How a program is started in its folder: as its manifest says, by itself, or by what its ending asks for.
    ///
    /// Throws `ProgramInvalid`.
    func words(of program: RevisionGraph.Program) throws -> [String] {
        if !program.command.isEmpty { return program.command }
        guard let file = program.files.files.first, !program.files.isFolder else {
            throw MartletError("ProgramInvalid", "\(program.words) needs a 'command': it is a folder")
        }
        if self.isExecutable("\(self.path(of: program))/\(file.path)") { return ["./\(file.path)"] }
        let interpreters = ["py": "python3", "sh": "sh", "js": "node"]
        guard let interpreter = interpreters[file.path.split(separator: ".").last.map { $0.lowercased() } ?? ""] else {
            throw MartletError(
                "ProgramInvalid",
                "\(program.words) begins with no '#!' and ends in none of .py, .sh, .js: say in 'command' how it is started"
            )
        }
        return [interpreter, file.path]
    }

    /// Whether the kernel can tell how to run a file, by its first bytes.
    private func isExecutable(_ path: String) -> Bool {
        let start = FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: 4) } ?? Data()
        return start.starts(with: Array("#!".utf8)) || start.elementsEqual([0x7F] + Array("ELF".utf8))
    }
}
