package import Schema

extension RevisionGraph {
    /// A knowledge base with the documents and the model that it is made of.
    package struct KnowledgeBase: Sendable, Hashable, Codable {
        /// One file of text.
        package struct Document: Sendable, Hashable, Codable {
            package var artifact: Artifact
            package var format: KnowledgeBaseSpec.Format

            package init(artifact: Artifact, format: KnowledgeBaseSpec.Format) {
                self.artifact = artifact
                self.format = format
            }

            /// As answers cite it.
            package var path: String { self.artifact.path }
        }

        /// What makes vectors of its pieces.
        package struct Embedding: Sendable, Hashable, Codable {
            package var model: ResourceIdentity
            package var instance: InstanceKey

            package init(model: ResourceIdentity, instance: InstanceKey) {
                self.model = model
                self.instance = instance
            }
        }

        package var identity: ResourceIdentity
        package var digest: Digest
        package var spec: KnowledgeBaseSpec
        /// Sorted by path; each once.
        package var documents: [Document]
        /// Nil for an index by words.
        package var embedding: Embedding?

        package init(
            identity: ResourceIdentity,
            digest: Digest,
            spec: KnowledgeBaseSpec,
            documents: [Document],
            embedding: Embedding? = nil
        ) {
            self.identity = identity
            self.digest = digest
            self.spec = spec
            self.documents = documents
            self.embedding = embedding
        }

        /// Names the index: two knowledge bases with one are searched alike.
        package var content: Digest {
            var value: [String: JSONValue] = [
                "documents": .array(
                    self.documents.map {
                        [.string($0.path), .string($0.artifact.identity), .string($0.format.rawValue)]
                    }
                ),
                "chunking": [
                    .string(self.spec.chunking.by.rawValue), .integer(Int64(self.spec.chunking.size)),
                    .integer(Int64(self.spec.chunking.overlap)),
                ],
                "index": .string(self.spec.index.type.rawValue),
            ]
            if let embedding = self.embedding {
                value["embedding"] = .string(embedding.instance.digest.hex)
                value["metric"] = .string(self.spec.index.metric.rawValue)
            }
            return Digest(canonical: .object(value))
        }
    }

    /// A feature table with the file that its rows come from.
    package struct FeatureTable: Sendable, Hashable, Codable {
        package var identity: ResourceIdentity
        package var digest: Digest
        package var spec: FeatureTableSpec
        package var artifact: Artifact
        /// How the file of a dataset is read; nil for a SQLite file.
        package var format: DatasetSpec.Format?
        /// Types by column, those of the dataset too.
        package var columns: [String: FeatureTableSpec.ColumnType]
        /// When the file was written, where its age counts.
        package var writtenAt: Timestamp?

        package init(
            identity: ResourceIdentity,
            digest: Digest,
            spec: FeatureTableSpec,
            artifact: Artifact,
            format: DatasetSpec.Format?,
            columns: [String: FeatureTableSpec.ColumnType] = [:],
            writtenAt: Timestamp? = nil
        ) {
            self.identity = identity
            self.digest = digest
            self.spec = spec
            self.artifact = artifact
            self.format = format
            self.columns = columns
            self.writtenAt = writtenAt
        }

        /// Names what is read of the file: two tables with one have the same rows.
        package var content: Digest {
            var value: [String: JSONValue] = [
                "artifact": .string(self.artifact.identity),
                "key": .array(self.spec.key.map { .string($0) }),
                "columns": .object(self.columns.mapValues { .string($0.rawValue) }),
            ]
            value["format"] = self.format.map { .string($0.rawValue) }
            value["table"] = self.spec.sqlite?.table.map { .string($0) }
            value["query"] = self.spec.sqlite?.query.map { .string($0) }
            value["time"] = self.spec.freshness?.column.map { .string($0) }
            return Digest(canonical: .object(value))
        }
    }
}

extension Facts {
    /// Every revision that may answer, those of a desired state too.
    package func graphs(with desired: DesiredState) -> [RevisionGraph] {
        desired.variants.values + self.variants.values.flatMap(\.graphs)
    }
}
