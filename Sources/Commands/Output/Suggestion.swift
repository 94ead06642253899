internal import Schema

/// The second half of an error about a word that is not known.
enum Suggestion {
    /// `; did you mean 'endpoints'?`, or nothing when no known word is near.
    static func text(for word: String, among known: [String]) -> String {
        Spelling.nearest(to: word, among: known).map { "; did you mean '\($0)'?" } ?? ""
    }
}
