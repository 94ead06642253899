internal import Foundation
internal import GRDB
internal import Planning
internal import Schema
internal import Synchronization

/// One piece of a document, before it is found.
struct Piece: Sendable, Hashable {
    /// A position among the documents.
    var document: Int
    /// Bytes of the document.
    var span: Range<Int>
    var text: String

    /// What two pieces share that are embedded alike.
    var digest: Digest { Digest(of: self.text.utf8) }
}

/// `pieces.sqlite`: the pieces of an index in order, and the words in them (FTS5).
enum PieceDatabase {
    static let fileName = "pieces.sqlite"
    static let words = "words"

    /// Fills a new file. It is on no disk before it is synced.
    final class Writer {
        private let queue: DatabaseQueue
        private let hasWords: Bool
        private(set) var count = 0

        /// - Parameter hasWords: Whether pieces can be found by words.
        init(_ path: String, hasWords: Bool) throws {
            self.hasWords = hasWords
            var configuration = Configuration()
            // Until the whole folder takes its place, nobody reads it: a crash leaves nothing to be saved.
            configuration.prepareDatabase { database in
                try database.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            }
            self.queue = try DatabaseQueue(path: path, configuration: configuration)
            try self.queue.writeWithoutTransaction { database in
                try database.execute(
                    sql: """
                        CREATE TABLE documents(id INTEGER PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL);
                        CREATE TABLE pieces(
                            id INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL,
                            end INTEGER NOT NULL, text TEXT NOT NULL, digest TEXT NOT NULL
                        );
                        """
                )
                guard hasWords else { return }
                try database.execute(
                    sql: """
                        CREATE VIRTUAL TABLE words USING fts5(
                            text, content = 'pieces', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
                        );
                        CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
                        """
                )
            }
        }

        /// Adds a document with its pieces, which are numbered on from the last one's.
        func add(_ document: RevisionGraph.KnowledgeBase.Document, number: Int, _ pieces: [Piece]) throws {
            try self.queue.write { database in
                try database.cachedStatement(sql: "INSERT INTO documents VALUES(?, ?, ?)")
                    .execute(arguments: [number, document.path, document.artifact.identity])
                let insertion = try database.cachedStatement(sql: "INSERT INTO pieces VALUES(?, ?, ?, ?, ?, ?)")
                for piece in pieces {
                    try insertion.execute(
                        arguments: [
                            self.count, piece.document, piece.span.lowerBound, piece.span.upperBound, piece.text,
                            piece.digest.hex,
                        ]
                    )
                    self.count += 1
                }
            }
        }

        /// Ends the file.
        func finish() throws {
            if self.hasWords {
                try self.queue.write { database in
                    try database.execute(sql: "INSERT INTO words(words) VALUES('rebuild')")
                    try database.execute(sql: "INSERT INTO words(words) VALUES('optimize')")
                }
            }
            try self.queue.close()
        }
    }

    /// Reads a finished file, from as many threads as there are connections.
    final class Reader: Sendable {
        private let queues: [DatabaseQueue]
        private let turn = Atomic(0)

        /// Throws `IndexUnreadable`.
        init(_ path: String, connections: Int) throws {
            self.queues = try PieceDatabase.translating(path) {
                try (0..<max(1, connections)).map { _ in
                    try DatabaseQueue(path: SQLiteAddress.immutable(path), configuration: SQLiteAddress.readOnly)
                }
            }
        }

        /// Reads on a thread that may block.
        func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
            let turn = self.turn.wrappingAdd(1, ordering: .relaxed).newValue
            let queue = self.queues[Int(turn.magnitude % UInt(self.queues.count))]
            return try await queue.read(body)
        }

        /// Reads at once.
        func readNow<Value>(_ body: (Database) throws -> Value) throws -> Value {
            try self.queues[0].read(body)
        }
    }

    static func translating<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw MartletError.unreadableIndex(path, error.message ?? "\(error)")
        }
    }
}

/// How SQLite files are opened that nobody writes to.
enum SQLiteAddress {
    /// A file that does not change while it is open: neither locks nor a log are looked for.
    static func immutable(_ path: String) -> String {
        let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "?#%"))
        return "file://\(path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path)?immutable=1"
    }

    static var readOnly: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        return configuration
    }
}
