package import Schema

extension RevisionGraph {
    /// A program of one chain's step or tool, with its files as a commit has them.
    package struct Program: Sendable, Hashable, Codable {
        /// The chain that names it.
        package var identity: ResourceIdentity
        /// Where it does: `spec.steps[2].program`.
        package var field: String
        package var files: FoundFiles
        /// Its words; empty: the file itself, or what its ending asks for.
        package var command: [String]
        /// The most memory of one child, in bytes.
        package var memory: ByteCount
        /// The most cores of one child.
        package var cpu: Double
        /// For one call.
        package var timeout: ManifestDuration

        package init(
            identity: ResourceIdentity,
            field: String,
            files: FoundFiles,
            command: [String] = [],
            memory: ByteCount,
            cpu: Double,
            timeout: ManifestDuration
        ) {
            self.identity = identity
            self.field = field
            self.files = files
            self.command = command
            self.memory = memory
            self.cpu = cpu
            self.timeout = timeout
        }

        /// Names the children that can answer for it: by its files and how they are run, not by who asks.
        package var digest: Digest {
            Digest(
                canonical: [
                    "files": .string(self.contentDigest.hex),
                    "command": .array(self.command.map { .string($0) }),
                    "memory": .integer(self.memory.bytes),
                    "cpu": .number(self.cpu),
                ]
            )
        }

        /// Names the folder that its files lie in: by their names below it and their contents.
        package var contentDigest: Digest {
            let pairs = self.files.files.map { JSONValue.array([.string($0.path), .string($0.artifact.identity)]) }
            return Digest(canonical: .array(pairs))
        }

        /// `programs/score.py`, and the chain and field that name it.
        package var words: String { "'\(self.files.path)' (\(self.identity), \(self.field))" }
    }
}

extension RevisionGraph.Program {
    /// The most files of one program.
    static let fileLimit = 1000
    /// The most bytes of all files of one program.
    package static let sizeLimit: Int64 = 64 << 20

    /// What keeps these files from being a program; nil when nothing does.
    static func problem(with files: FoundFiles, command: [String]) -> String? {
        let size = files.files.reduce(0) { $0 + ($1.artifact.size ?? 0) }
        if files.files.isEmpty { return "the folder '\(files.path)' has no files" }
        if files.files.count > self.fileLimit {
            return "'\(files.path)' has \(files.files.count) files; a program has at most \(self.fileLimit)"
        }
        if size > self.sizeLimit {
            return "the files of '\(files.path)' have \(ByteCount(bytes: size)); a program has at most "
                + "\(ByteCount(bytes: self.sizeLimit))"
        }
        guard files.isFolder, command.isEmpty else { return nil }
        return "'\(files.path)' is a folder: say in 'command' how its program is started, as in [python3, main.py]"
    }
}

extension RevisionGraph {
    /// The program that a step or tool of a chain means; nil where the chain has no such.
    package func program(_ spec: ChainSpec.Program, of chain: ResourceIdentity) -> Program? {
        self.programs.first { program in
            program.identity == chain && program.files.path == spec.path && program.command == spec.command
                && program.memory == spec.memory && program.cpu == spec.cpu && program.timeout == spec.timeout
        }
    }
}
