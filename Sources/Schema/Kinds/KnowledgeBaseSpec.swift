/// `KnowledgeBase`: documents, cut into pieces and indexed for retrieval.
package struct KnowledgeBaseSpec: Sendable, Hashable, Codable {
    /// What a document is made of.
    package enum Format: String, Sendable, Hashable, Codable, CaseIterable {
        case text
        case markdown
        case html
        /// One object a line; each is a section.
        case jsonl
        /// A header and rows; each row is a section.
        case csv
    }

    /// A file, a folder of the repository, or the rows of a dataset.
    package struct Documents: Sendable, Hashable, Codable {
        package var source: ModelSpec.Source?
        package var dataset: String?
        /// Globs of paths within the folder; none: all files.
        package var include: [String]
        package var exclude: [String]
        /// Nil: told from each file's ending.
        package var format: Format?
    }

    /// How documents are cut into pieces.
    package struct Chunking: Sendable, Hashable, Codable {
        package enum Unit: String, Sendable, Hashable, Codable, CaseIterable {
            case tokens
            case characters
            case sentences
            /// Under each heading one piece; those that are longer than `size` tokens are cut by tokens.
            case sections
        }

        package var by: Unit
        package var size: Int
        /// How much of a piece the next one repeats, in the same unit.
        package var overlap: Int

        package init(by: Unit = .tokens, size: Int = 256, overlap: Int = 32) {
            self.by = by
            self.size = size
            self.overlap = overlap
        }
    }

    package struct Embedding: Sendable, Hashable, Codable {
        package var model: String
    }

    /// How pieces are found.
    package struct Index: Sendable, Hashable, Codable {
        package enum Form: String, Sendable, Hashable, Codable, CaseIterable {
            /// By words, ranked by BM25.
            case lexical
            /// By meaning: exact search among vectors.
            case vector
            /// By both, joined by reciprocal rank fusion.
            case hybrid

            /// Whether vectors are needed.
            package var embeds: Bool {
                switch self {
                case .lexical: false
                case .vector, .hybrid: true
                }
            }
        }

        package enum Metric: String, Sendable, Hashable, Codable, CaseIterable {
            case cosine
            case dot
            case euclidean
        }

        package var type: Form
        package var metric: Metric

        package init(type: Form, metric: Metric = .cosine) {
            self.type = type
            self.metric = metric
        }
    }

    package var documents: [Documents]
    package var chunking: Chunking
    /// Nil for a lexical index only.
    package var embedding: Embedding?
    package var index: Index
}
