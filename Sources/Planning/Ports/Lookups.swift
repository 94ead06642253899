package import Schema

/// A piece of a document that was found, and where it stands there.
package struct Passage: Sendable, Hashable, Codable {
    /// The document's path.
    package var document: String
    /// What identifies the document's bytes: `git:…` or `sha256:…`.
    package var documentDigest: String
    /// Byte offsets in the document, in its UTF-8: `start` is the first of the piece, `end` the first behind it.
    package var start: Int
    package var end: Int
    /// What was indexed: the bytes of the span themselves, but for HTML, whose tags are left out, and for rows.
    package var text: String
    /// Larger is nearer. Of an index by words it is BM25, by vectors the similarity, of a hybrid one the fused rank.
    package var score: Double

    package init(document: String, documentDigest: String, start: Int, end: Int, text: String, score: Double) {
        self.document = document
        self.documentDigest = documentDigest
        self.start = start
        self.end = end
        self.text = text
        self.score = score
    }
}

/// What to look for in a knowledge base.
package struct KnowledgeQuery: Sendable, Hashable {
    /// Data through and through: no word or sign in it means anything to the index.
    package var text: String
    /// The most pieces to give.
    package var top: Int
    /// Pieces with a lower score are left out.
    package var minScore: Double?

    package init(text: String, top: Int, minScore: Double? = nil) {
        self.text = text
        self.top = top
        self.minScore = minScore
    }
}

/// A knowledge base that is ready to be searched.
package protocol KnowledgeIndex: Sendable {
    /// Of all that it was made of.
    var digest: Digest { get }

    /// The nearest pieces, nearest first; pieces of one score stand in the order of their documents.
    ///
    /// `embed` makes vectors of texts by the knowledge base's embedding model; only vector and hybrid indexes call it.
    /// Throws what `embed` throws, `EmbeddingInvalid`, and `IndexUnreadable`.
    func search(
        _ query: KnowledgeQuery,
        embed: (_ texts: [String]) async throws -> [[Float]]
    ) async throws -> [Passage]
}

/// One row of a feature table.
package struct FeatureRow: Sendable, Hashable {
    package var values: [String: JSONValue]
    /// Nil where the table says nothing of freshness.
    package var age: Duration?
    /// Whether it is older than the table allows; only tables that warn give such rows.
    package var isStale: Bool

    package init(values: [String: JSONValue], age: Duration? = nil, isStale: Bool = false) {
        self.values = values
        self.age = age
        self.isStale = isStale
    }
}

/// A feature table that is ready to be asked.
package protocol FeatureRows: Sendable {
    /// The row of a key, whose parts stand in the order of the table's key columns; nil where there is none.
    ///
    /// - Parameter columns: what to take of it; nil: everything.
    ///
    /// Throws `FeatureKeyInvalid`, `FeatureColumnUnknown`, `FeatureStale`, and `IndexUnreadable`.
    func row(_ key: [JSONValue], columns: [String]?) async throws -> FeatureRow?
}

/// Opens what chains look things up in; what is not there yet is built, once for each content.
package protocol LookupStore: Sendable {
    /// Opens the index of a knowledge base, or builds it. Concurrent callers for one content wait for the first of
    /// them. Cancelling ends a build and leaves nothing behind.
    ///
    /// `embed` makes vectors of the pieces' texts. Throws what it throws, `DocumentInvalid`, what reading a document
    /// throws, `EmbeddingInvalid`, and `IndexNotWritten`.
    func knowledge(
        _ base: RevisionGraph.KnowledgeBase,
        embed: @escaping @Sendable (_ texts: [String]) async throws -> [[Float]]
    ) async throws -> any KnowledgeIndex

    /// Opens the rows of a feature table, or reads them in. Throws `TableInvalid`, what reading the rows throws, and
    /// `IndexNotWritten`.
    func rows(_ table: RevisionGraph.FeatureTable) async throws -> any FeatureRows

    /// Removes what no given graph needs; what is open stays readable.
    func prune(keeping graphs: [RevisionGraph]) async
}
