import Planning
import Schema

/// Manifests and files as one commit has them, for tests of the desired state's builder.
struct Repository {
    var resources: [ResourceIdentity: Resource] = [:]
    var broken: Set<ResourceIdentity> = []
    var retained: Set<ResourceIdentity> = []
    var diagnostics: [Diagnostic] = []
    /// The content of each file, by path.
    var files: [String: String] = [:]
    var unavailable = UnavailableFields.ofThisVersion

    /// A chain of two prompts over one model with an adapter, behind one endpoint.
    static func desk() throws -> Repository {
        var repository = Repository()
        repository.files = [
            "models/deskhand.gguf": "weights", "models/formal.gguf": "adapter",
            "data/shots.jsonl": #"{"input":"a","output":"b"}"#,
        ]
        try repository.add(
            .model,
            "deskhand",
            [
                "engine": "llama",
                "source": ["uri": "models/deskhand.gguf"],
                "adapters": [["name": "formal", "source": ["uri": "models/formal.gguf"]]],
            ]
        )
        try repository.add(.dataset, "shots", ["source": ["uri": "data/shots.jsonl"]])
        try repository.add(
            .promptTemplate,
            "triage",
            ["messages": [["role": "user", "content": "Sort it."]], "examples": ["dataset": "shots"]]
        )
        try repository.add(.promptTemplate, "reply", ["messages": [["role": "user", "content": "Answer it."]]])
        try repository.add(
            .chain,
            "desk",
            [
                "steps": [
                    ["name": "triage", "prompt": ["template": "triage", "model": "deskhand"]],
                    ["name": "reply", "prompt": ["template": "reply", "model": "deskhand", "adapter": "formal"]],
                ]
            ]
        )
        try repository.add(.endpoint, "desk", ["serve": ["chain": "desk"], "access": ["anonymous": true]])
        return repository
    }

    static func identity(_ kind: Kind, _ name: String) -> ResourceIdentity {
        ResourceIdentity(kind, namespace: "default", name: name)
    }

    /// Adds a resource, or replaces it.
    mutating func add(
        _ kind: Kind,
        _ name: String,
        _ spec: JSONValue,
        labels: [String: String] = [:],
        path: String? = nil
    ) throws {
        let identity = Repository.identity(kind, name)
        let path = path ?? "\(kind.plural)/\(name).yaml"
        self.resources[identity] = try Resource(
            identity,
            spec: spec,
            labels: labels,
            location: SourceLocation(path: path, line: 1, column: 1),
            fieldLocations: [
                "spec.source.uri": SourceLocation(path: path, line: 7, column: 12),
                "spec.adapters[0].source.uri": SourceLocation(path: path, line: 9, column: 20),
                "spec.serve.chain": SourceLocation(path: path, line: 5, column: 17),
            ]
        )
    }

    /// Changes one resource's spec.
    mutating func change(_ kind: Kind, _ name: String, _ change: (inout [String: JSONValue]) -> Void) throws {
        var members = self.resources[Repository.identity(kind, name)]?.canonicalSpec.object ?? [:]
        change(&members)
        try self.add(kind, name, .object(members))
    }

    private func artifact(_ path: String) -> Artifact {
        let content = self.files[path] ?? ""
        return Artifact(
            location: .repository(path: path, blob: Digest(of: content.utf8).short),
            size: Int64(content.utf8.count)
        )
    }

    func build(commit: String = "c1", previous: DesiredState? = nil) -> DesiredState {
        DesiredStateBuilder.build(
            commit: CommitSummary(id: commit, subject: "Change", author: "A <a@b>", time: 0),
            manifests: .init(
                resources: Array(self.resources.values),
                diagnostics: self.diagnostics,
                broken: self.broken,
                retained: self.retained
            ),
            previous: previous,
            unavailable: self.unavailable,
            artifact: { source in
                guard self.files[source.uri] != nil else {
                    throw MartletError("ArtifactMissing", "there is no file '\(source.uri)' in the commit")
                }
                return self.artifact(source.uri)
            },
            files: { path in
                let names = self.files.keys.filter { $0 == path || $0.hasPrefix("\(path)/") }.sorted()
                guard !names.isEmpty else { throw MartletError("PathNotFound", "there is no '\(path)' in the commit") }
                let isFolder = names != [path]
                return FoundFiles(
                    path: path,
                    isFolder: isFolder,
                    files: names.map { name in
                        FoundFiles.File(
                            path: isFolder ? String(name.dropFirst(path.count + 1)) : name,
                            artifact: self.artifact(name)
                        )
                    },
                    isSettled: true
                )
            },
            read: { Array((self.files[$0.path] ?? "").utf8) }
        )
    }
}
