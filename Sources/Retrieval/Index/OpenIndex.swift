internal import GRDB
internal import Planning
internal import Schema

/// An index that is open: its files stay as they are for as long as anybody holds it.
final class OpenIndex: KnowledgeIndex {
    /// How deep each ranking of a hybrid search goes, beyond what is asked for.
    private static let depth = 50

    let digest: Digest
    private let count: Int
    private let type: KnowledgeBaseSpec.Index.Form
    private let pieces: PieceDatabase.Reader
    private let vectors: VectorFile?

    /// Throws `IndexUnreadable`.
    init(_ folder: IndexFolder, _ note: IndexNote, _ spec: KnowledgeBaseSpec.Index, connections: Int) throws {
        (self.digest, self.count, self.type) = (note.content, note.count, spec.type)
        self.pieces = try PieceDatabase.Reader(folder.file(PieceDatabase.fileName), connections: connections)
        self.vectors = try note.vectors.map {
            try VectorFile(folder, $0, count: note.count, metric: spec.metric)
        }
    }

    func search(
        _ query: KnowledgeQuery,
        embed: (_ texts: [String]) async throws -> [[Float]]
    ) async throws -> [Passage] {
        guard query.top > 0, self.count > 0 else { return [] }
        let found: [Ranked]
        switch self.type {
        case .lexical:
            found = try await self.byWords(query.text, query.top)
        case .vector:
            found = try await self.byVector(query.text, query.top, embed)
        case .hybrid:
            let depth = max(Self.depth, 4 * query.top)
            let words = try await self.byWords(query.text, depth)
            let meaning = try await self.byVector(query.text, depth, embed)
            found = Array(RankFusion.fuse([words, meaning]).prefix(query.top))
        }
        let bar = query.minScore ?? -.infinity
        return try await self.passages(found.filter { $0.score >= bar })
    }

    private func byWords(_ text: String, _ limit: Int) async throws -> [Ranked] {
        let query = WordQuery(text)
        guard !query.words.isEmpty else { return [] }
        let count = self.count
        return try await self.pieces.read { try query.find(limit, in: $0, pieces: count) }
    }

    private func byVector(
        _ text: String,
        _ limit: Int,
        _ embed: ([String]) async throws -> [[Float]]
    ) async throws -> [Ranked] {
        // Text that says nothing is near to nothing, and models refuse it.
        guard let vectors = self.vectors, text.contains(where: { !$0.isWhitespace }) else { return [] }
        let made = try await embed([text])
        try VectorWriter.check(made, count: 1, width: vectors.note.width)
        return await BlockingWork.run { _ in vectors.nearest(to: made[0], limit) }
    }

    private func passages(_ found: [Ranked]) async throws -> [Passage] {
        guard !found.isEmpty else { return [] }
        return try await self.pieces.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT documents.path, documents.digest, pieces.start, pieces.end, pieces.text
                    FROM pieces JOIN documents ON documents.id = pieces.document WHERE pieces.id = ?
                    """
            )
            return try found.compactMap { ranked in
                try Row.fetchOne(statement, arguments: [ranked.piece]).map { row in
                    Passage(
                        document: row[0],
                        documentDigest: row[1],
                        start: row[2],
                        end: row[3],
                        text: row[4],
                        score: ranked.score
                    )
                }
            }
        }
    }
}
