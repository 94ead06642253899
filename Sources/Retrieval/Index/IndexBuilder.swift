internal import GRDB
internal import Planning
internal import Schema

/// Makes the index of a knowledge base: reads its documents, cuts them, and has the pieces embedded that no earlier
/// index has.
struct IndexBuilder {
    /// Pieces whose vectors are made and written together.
    private static let batch = 256
    /// Texts that the model gets at once.
    private static let textsAtOnce = 32

    let base: RevisionGraph.KnowledgeBase
    let read: @Sendable (Artifact) throws -> [UInt8]
    let embed: @Sendable ([String]) async throws -> [[Float]]
    /// Other indexes, whose vectors may be taken over.
    let earlier: [IndexFolder]

    /// Fills a folder. Throws `DocumentInvalid`, `EmbeddingInvalid`, `IndexNotWritten`, and what reading and embedding
    /// throw.
    func fill(_ draft: IndexFolder) async throws -> IndexNote {
        let count = try await BlockingWork.run { [self] stop in try self.writePieces(draft, stop) }
        var note = IndexNote(content: self.base.content, count: count)
        if let embedding = self.base.embedding, self.base.spec.index.type.embeds {
            note.vectors = try await self.writeVectors(draft, embedding, count: count)
        }
        return note
    }

    // MARK: Pieces

    private func writePieces(_ draft: IndexFolder, _ stop: StopFlag) throws -> Int {
        let path = draft.file(PieceDatabase.fileName)
        let hasWords: Bool
        switch self.base.spec.index.type {
        case .lexical, .hybrid: hasWords = true
        case .vector: hasWords = false
        }
        do {
            let writer = try PieceDatabase.Writer(path, hasWords: hasWords)
            let chunker = Chunker(self.base.spec.chunking)
            for (number, document) in self.base.documents.enumerated() {
                try stop.check()
                try writer.add(document, number: number, try self.pieces(of: document, number, chunker))
            }
            try stop.check()
            try writer.finish()
            try FileWriter.sync(path)
            return writer.count
        } catch let error as DatabaseError {
            throw MartletError.unwrittenIndex(path, error.message ?? "\(error)")
        }
    }

    private func pieces(
        of document: RevisionGraph.KnowledgeBase.Document,
        _ number: Int,
        _ chunker: Chunker
    ) throws -> [Piece] {
        let bytes = try self.read(document.artifact)
        let text: DocumentText
        do {
            text = try DocumentText(bytes, format: document.format, path: document.path)
        } catch let error as DocumentText.Unreadable {
            let place = Self.place(of: error.offset, in: bytes, document.path)
            throw MartletError("DocumentInvalid", "\(place): \(error.message)")
        } catch let error as RowInvalid {
            throw MartletError("DocumentInvalid", "\(error.location): \(error.message)")
        }
        return chunker.pieces(of: text).map { piece in
            Piece(
                document: number,
                span: text.source(of: piece),
                text: String(decoding: text.bytes[piece], as: UTF8.self)
            )
        }
    }

    /// Line and column, in characters, of a byte.
    private static func place(of offset: Int, in bytes: [UInt8], _ path: String) -> SourceLocation {
        let before = bytes[..<offset]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let column = String(decoding: bytes[start..<offset], as: UTF8.self).count + 1
        return SourceLocation(path: path, line: line, column: column)
    }

    // MARK: Vectors

    private func writeVectors(
        _ draft: IndexFolder,
        _ embedding: RevisionGraph.KnowledgeBase.Embedding,
        count: Int
    ) async throws -> VectorNote {
        let isUnit = self.base.spec.index.metric == .cosine
        let reader = try PieceDatabase.Reader(draft.file(PieceDatabase.fileName), connections: 1)
        let known = try await BlockingWork.run { [earlier] stop in
            try KnownVectors(earlier, embedding: embedding.instance, isUnit: isUnit, stop)
        }
        var writer = try VectorWriter(draft, VectorNote(embedding: embedding.instance, isUnit: isUnit))
        for start in stride(from: 0, to: count, by: Self.batch) {
            try Task.checkCancellation()
            let pieces = try await reader.read { database in
                try Row.fetchAll(
                    database,
                    sql: "SELECT text, digest FROM pieces WHERE id >= ? AND id < ? ORDER BY id",
                    arguments: [start, start + Self.batch]
                ).map { (text: $0[0] as String, digest: $0[1] as String) }
            }
            try writer.write(try await self.vectors(of: pieces, known, isUnit: isUnit))
        }
        return try writer.finish()
    }

    private func vectors(
        of pieces: [(text: String, digest: String)],
        _ known: KnownVectors,
        isUnit: Bool
    ) async throws -> [[Float]] {
        var vectors = pieces.map { known.vector(of: $0.digest) }
        let missing = vectors.indices.filter { vectors[$0] == nil }
        for start in stride(from: 0, to: missing.count, by: Self.textsAtOnce) {
            try Task.checkCancellation()
            let asked = missing[start..<min(start + Self.textsAtOnce, missing.count)]
            let made = try await self.embed(asked.map { pieces[$0].text })
            try VectorWriter.check(made, count: asked.count)
            for (index, vector) in zip(asked, made) { vectors[index] = isUnit ? VectorFile.unit(vector) : vector }
        }
        return vectors.compactMap(\.self)
    }
}

/// Writes the files of vectors.
struct VectorWriter {
    private var note: VectorNote
    private let numbers: FileWriter
    private let halves: FileWriter

    init(_ draft: IndexFolder, _ note: VectorNote) throws {
        self.note = note
        self.numbers = try FileWriter(draft.file(VectorFile.fileName))
        self.halves = try FileWriter(draft.file(VectorFile.halvesName))
    }

    mutating func write(_ vectors: [[Float]]) throws {
        for vector in vectors {
            if self.note.width == 0 { self.note.width = vector.count }
            try Self.check([vector], count: 1, width: self.note.width)
            self.note.longest = max(self.note.longest, VectorFile.length(vector))
            self.note.largest = max(self.note.largest, vector.lazy.map { abs($0) }.max() ?? 0)
            try self.numbers.write(elements: vector)
            try self.halves.write(elements: VectorFile.halves(vector))
        }
    }

    func finish() throws -> VectorNote {
        try self.numbers.finish()
        try self.halves.finish()
        return self.note
    }

    /// Throws `EmbeddingInvalid` where a model gave something else than one usable vector for each text.
    static func check(_ vectors: [[Float]], count: Int, width: Int? = nil) throws(MartletError) {
        let problem: String?
        if vectors.count != count {
            problem = "\(vectors.count) vectors for \(count) texts"
        } else if vectors.contains(where: \.isEmpty) {
            problem = "an empty vector"
        } else if let width, let other = vectors.first(where: { $0.count != width }) {
            problem = "a vector of \(other.count) numbers, where the others have \(width)"
        } else if vectors.contains(where: { !$0.allSatisfy(\.isFinite) }) {
            problem = "a vector with a number that is not finite"
        } else {
            problem = nil
        }
        guard let problem else { return }
        throw MartletError("EmbeddingInvalid", "the embedding model gave \(problem); name another model")
    }
}

extension VectorNote {
    /// Of no vectors yet.
    init(embedding: InstanceKey, isUnit: Bool) {
        self.init(width: 0, embedding: embedding, isUnit: isUnit, longest: 0, largest: 0)
    }
}

/// The vectors of earlier indexes by the digests of their texts: what did not change is not embedded again.
struct KnownVectors: Sendable {
    /// The most indexes that are looked through.
    private static let most = 4

    private let files: [VectorFile]
    private let places: [String: (file: Int, row: Int)]

    /// An index that cannot be read has nothing to give.
    init(_ folders: [IndexFolder], embedding: InstanceKey, isUnit: Bool, _ stop: StopFlag) throws {
        var files: [VectorFile] = []
        var places: [String: (file: Int, row: Int)] = [:]
        for folder in folders where files.count < Self.most {
            guard let note = folder.note?.vectors, note.embedding == embedding, note.isUnit == isUnit,
                let verified = try? folder.verify(stop),
                let file = try? VectorFile(folder, note, count: verified.count, metric: .dot),
                let reader = try? PieceDatabase.Reader(folder.file(PieceDatabase.fileName), connections: 1)
            else { continue }
            try stop.check()
            let number = files.count
            try reader.readNow { database in
                let rows = try Row.fetchCursor(database, sql: "SELECT digest, id FROM pieces")
                while let row = try rows.next() { places[row[0]] = (number, row[1]) }
            }
            files.append(file)
        }
        (self.files, self.places) = (files, places)
    }

    func vector(of digest: String) -> [Float]? {
        self.places[digest].map { self.files[$0.file].vector($0.row) }
    }
}
