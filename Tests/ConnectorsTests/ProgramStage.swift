import Connectors
import Planning
import Schema
import TestSupport

/// A host of programs whose files are texts of a test.
struct ProgramStage {
    let folder: TemporaryFolder
    let host: ProgramHost
    private let files: [String: String]

    init(_ files: [String: String], options: ProgramHost.Options = .init()) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        self.files = files
        self.host = ProgramHost(
            folder: folder.file("programs"),
            repository: TextRepository(texts: files),
            options: options
        )
    }

    /// Ends all children, and lets the folder be removed.
    func end() {
        self.host.shutdown()
        Files.open(self.folder.file("programs"))
    }

    /// What lies in the host's folder.
    var names: [String] { Files.names(in: self.folder.file("programs")) }

    /// The program that a file, or all files of a folder, make.
    func program(_ path: String) -> RevisionGraph.Program {
        let isFolder = self.files[path] == nil
        let names = isFolder ? self.files.keys.filter { $0.hasPrefix("\(path)/") }.sorted() : [path]
        let found = names.map { name in
            FoundFiles.File(
                path: isFolder ? String(name.dropFirst(path.utf8.count + 1)) : path,
                artifact: Artifact(
                    location: .repository(path: name, blob: name),
                    size: Int64(self.files[name]?.utf8.count ?? 0)
                )
            )
        }
        return RevisionGraph.Program(
            identity: ResourceIdentity(.chain, namespace: "default", name: "desk"),
            field: "spec.steps[0].program",
            files: FoundFiles(path: path, isFolder: isFolder, files: found, isSettled: true),
            memory: ByteCount(bytes: 256 << 20),
            cpu: 1,
            timeout: .seconds(60)
        )
    }

    /// A revision that needs some programs.
    func graph(of programs: [RevisionGraph.Program]) throws -> RevisionGraph {
        RevisionGraph(
            variant: VariantID(namespace: "default", endpoint: "desk"),
            revision: Revision(Digest(of: "r".utf8)),
            commit: "c1",
            serve: try JSONValueDecoder().decode(EndpointSpec.Serve.self, from: ["chain": "desk"]),
            chat: nil,
            chains: [],
            templates: [],
            models: [],
            programs: programs
        )
    }
}

/// A repository of which nothing is asked but the bytes of blobs, which are called by their paths.
private struct TextRepository: SourceRepository {
    let texts: [String: String]

    private var missing: MartletError { MartletError("PathNotFound", "nothing but blobs is here") }

    func resolve(_ ref: String) throws -> CommitSummary { throw self.missing }
    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        throw self.missing
    }
    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? { throw self.missing }
    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry { throw self.missing }
    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] { throw self.missing }
    func size(of object: ObjectID) throws -> Int64 { Int64(self.texts[object]?.utf8.count ?? 0) }
    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] { throw self.missing }
    func refChanges() -> AsyncStream<Void> { AsyncStream { $0.finish() } }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        guard let text = self.texts[object] else { throw self.missing }
        return Array(text.utf8)
    }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        let bytes = try self.read(object, limit: limit)
        try Files.write(bytes, to: file)
    }
}
