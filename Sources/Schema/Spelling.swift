/// Finds the word that somebody probably meant.
package enum Spelling {
    /// The known word nearest to a misspelt one, or nil when none is near enough to be worth suggesting.
    ///
    /// Near enough is one edit in three letters, at least one; among equals the first in alphabetical order wins.
    package static func nearest(to word: String, among known: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased())
        let limit = max(1, letters.count / 3)
        return
            known
            .map { (distance: self.distance(letters, Array($0.lowercased())), word: $0) }
            .filter { $0.distance <= limit }
            .min { ($0.distance, $0.word) < ($1.distance, $1.word) }?
            .word
    }

    /// How many insertions, deletions, replacements and swaps of neighbours lead from one word to the other.
    ///
    /// This is the optimal string alignment distance: no letter is edited twice.
    private static func distance(_ from: [Character], _ to: [Character]) -> Int {
        var beforeLast = [Int](repeating: 0, count: to.count + 1)
        var last = Array(0...to.count)
        for row in from.indices {
            var current = [row + 1]
            for column in to.indices {
                let replaced = last[column] + (from[row] == to[column] ? 0 : 1)
                var cost = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, from[row] == to[column - 1], from[row - 1] == to[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[to.count]
    }
}
