internal import Foundation
internal import GRDB

/// Looks for the words of a text. The text is data: only its letters and digits get through, and each word in quotes.
struct WordQuery: Sendable, Hashable {
    /// The most words that are looked for.
    static let wordLimit = 64

    /// Each once, in the order of the text.
    let words: [String]

    init(_ text: String) {
        var (words, seen) = ([String](), Set<String>())
        let scalars = text.precomposedStringWithCanonicalMapping.unicodeScalars
        for word in scalars.split(whereSeparator: { !Self.isOfWord($0) }) {
            let word = String(word.prefix(128))
            guard seen.insert(word.lowercased()).inserted else { continue }
            words.append(word)
            if words.count == Self.wordLimit { break }
        }
        self.words = words
    }

    /// The same letters and digits that the index takes for parts of words.
    private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
        switch ScalarClass(scalar) {
        case .letter, .ideograph, .mark: true
        case .space, .sign: false
        }
    }

    /// What FTS5 is asked: any of the words.
    ///
    /// BM25 gives next to nothing for a word that stands in more than half of the pieces, but takes long to say so:
    /// such a word is left out where others remain.
    func expression(in database: Database, pieces: Int) throws -> String? {
        var rare: [String] = []
        for word in self.words where try Self.count(of: word, in: database) <= pieces / 2 { rare.append(word) }
        let asked = rare.isEmpty ? self.words : rare
        guard !asked.isEmpty else { return nil }
        return asked.map { "\"\($0)\"" }.joined(separator: " OR ")
    }

    /// In how many pieces a word stands; 0 where the index spells it otherwise.
    private static func count(of word: String, in database: Database) throws -> Int {
        let folded = word.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
        let statement = try database.cachedStatement(sql: "SELECT doc FROM vocabulary WHERE term = ?")
        return try Int.fetchOne(statement, arguments: [folded]) ?? 0
    }

    /// The pieces that have any of the words, the best first, with their BM25.
    func find(_ limit: Int, in database: Database, pieces: Int) throws -> [Ranked] {
        guard let expression = try self.expression(in: database, pieces: pieces) else { return [] }
        let statement = try database.cachedStatement(
            sql: "SELECT rowid, rank FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?"
        )
        let rows = try Row.fetchAll(statement, arguments: [expression, limit])
        return rows.map { Ranked(piece: $0[0], score: -($0[1] as Double)) }
    }
}

/// A piece that was found, by its number.
struct Ranked: Sendable, Hashable {
    var piece: Int
    /// Larger is better.
    var score: Double
}
