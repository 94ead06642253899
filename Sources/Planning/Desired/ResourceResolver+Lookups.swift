package import Schema

// MARK: Knowledge bases and feature tables

extension ResourceResolver {
    /// A knowledge base with its documents; nil where something that it needs is not there.
    func knowledge(_ spec: KnowledgeBaseSpec, of part: ReachedService.Part) -> RevisionGraph.KnowledgeBase? {
        var embedding: RevisionGraph.KnowledgeBase.Embedding?
        if let name = spec.embedding?.model {
            guard let model = ResourceIdentity(.model, reference: name, in: part.resource.namespace),
                case .model(let declared)? = self.resources[model]?.spec,
                let instance = self.instance(of: declared, model, self.resolution(of: model)?.artifacts ?? [])
            else { return nil }
            embedding = .init(model: model, instance: instance.key)
        }
        return RevisionGraph.KnowledgeBase(
            identity: part.resource,
            digest: part.digest,
            spec: spec,
            documents: self.documents(of: spec, part.resource),
            embedding: embedding
        )
    }

    /// A feature table with its file; nil where that is not there.
    func table(_ spec: FeatureTableSpec, of part: ReachedService.Part) -> RevisionGraph.FeatureTable? {
        guard let resolution = self.resolution(of: part.resource),
            let rows = self.rows(of: spec, part.resource, resolution)
        else { return nil }
        return Self.table(spec, part.resource, part.digest, rows.artifact, rows.dataset, resolution.writtenAt)
    }

    /// The most bytes of a table's file that are read before it is rolled out; larger ones are read when it is.
    private static let judgedBytes: Int64 = 16 << 20

    /// Looks at a feature table's rows, so that a review sees what is wrong with them, and finds how old they are.
    func judgeRows(of table: Resource, in world: World, _ resolution: inout Resolution) {
        guard case .featureTable(let spec) = table.spec, resolution.blocker == nil,
            let rows = self.rows(of: spec, table.identity, resolution)
        else { return }
        let identity = table.identity
        do {
            if let freshness = spec.freshness, freshness.column == nil {
                resolution.writtenAt = try world.writtenAt(rows.artifact, table)
            }
            guard let dataset = rows.dataset, rows.artifact.size ?? 0 <= Self.judgedBytes else { return }
            let readable = Self.table(spec, identity, table.digest, rows.artifact, dataset, resolution.writtenAt)
            try FeatureRowReader.read(try world.read(rows.artifact, table), of: readable) { _ in }
        } catch let error as RowInvalid {
            let message = "\(error.location): \(error.message)"
            resolution.blocker = Blocker(resource: identity, message: message, word: "TableInvalid")
            resolution.diagnostics = [Diagnostic(at: error.location, error.message, resource: identity)]
        } catch {
            let message = (error as? MartletError)?.message ?? "'\(rows.artifact.path)' cannot be read: \(error)"
            resolution.blocker = Blocker(resource: identity, message: message, word: "ArtifactMissing")
            resolution.diagnostics = [Diagnostic(at: table.location, message, resource: identity)]
        }
    }

    private static func table(
        _ spec: FeatureTableSpec,
        _ identity: ResourceIdentity,
        _ digest: Digest,
        _ artifact: Artifact,
        _ dataset: DatasetSpec?,
        _ writtenAt: Timestamp?
    ) -> RevisionGraph.FeatureTable {
        RevisionGraph.FeatureTable(
            identity: identity,
            digest: digest,
            spec: spec,
            artifact: artifact,
            format: dataset?.format(of: artifact.path),
            columns: spec.columns.merging(dataset?.columnTypes ?? [:]) { own, _ in own },
            writtenAt: writtenAt
        )
    }

    /// The file with a table's rows, and the dataset that it belongs to.
    private func rows(
        of spec: FeatureTableSpec,
        _ table: ResourceIdentity,
        _ resolution: Resolution
    ) -> (artifact: Artifact, dataset: DatasetSpec?)? {
        guard let name = spec.dataset else { return resolution.artifacts.first.map { ($0, nil) } }
        guard let dataset = ResourceIdentity(.dataset, reference: name, in: table.namespace),
            case .dataset(let declared)? = self.resources[dataset]?.spec,
            let artifact = self.resolution(of: dataset)?.artifacts.first
        else { return nil }
        return (artifact, declared)
    }

    /// Every file that a knowledge base names, once; of two entries that name it, the first says what it is made of.
    private func documents(
        of spec: KnowledgeBaseSpec,
        _ identity: ResourceIdentity
    ) -> [RevisionGraph.KnowledgeBase.Document] {
        var sightings = (self.resolution(of: identity)?.sightings ?? [])[...]
        var formats: [Artifact: KnowledgeBaseSpec.Format] = [:]
        for entry in spec.documents {
            if entry.source != nil {
                for artifact in sightings.popFirst()?.artifacts ?? [] where formats[artifact] == nil {
                    formats[artifact] = entry.format ?? KnowledgeBaseSpec.Format(path: artifact.path)
                }
            } else if let name = entry.dataset,
                let dataset = ResourceIdentity(.dataset, reference: name, in: identity.namespace),
                case .dataset(let declared)? = self.resources[dataset]?.spec,
                let artifact = self.resolution(of: dataset)?.artifacts.first, formats[artifact] == nil
            {
                formats[artifact] = declared.format(of: artifact.path) == .csv ? .csv : .jsonl
            }
        }
        return formats.map { RevisionGraph.KnowledgeBase.Document(artifact: $0.key, format: $0.value) }
            .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }
}

extension DatasetSpec {
    /// How a file of its rows is read.
    func format(of path: String) -> Format {
        self.format ?? (path.lowercased().hasSuffix(".csv") ? .csv : .jsonl)
    }

    /// The types that it declares.
    var columnTypes: [String: FeatureTableSpec.ColumnType] {
        self.columns.compactMapValues { column in
            (column.string ?? column["type"]?.string).flatMap { FeatureTableSpec.ColumnType(rawValue: $0) }
        }
    }
}

extension KnowledgeBaseSpec.Format {
    /// What the ending of a path says; text where it says nothing.
    package init(path: String) {
        switch path.lowercased().split(separator: ".").last {
        case "md", "markdown": self = .markdown
        case "html", "htm": self = .html
        case "jsonl", "ndjson": self = .jsonl
        case "csv": self = .csv
        default: self = .text
        }
    }
}
