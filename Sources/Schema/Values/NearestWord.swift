/// Finds the word that someone probably meant.
package enum NearestWord {
    /// The candidate that fewest slips turn into `word`, or nil when none is near.
    ///
    /// A slip is one letter added, missing, wrong or swapped with its neighbour (optimal string alignment distance);
    /// a third of the word may be wrong, at least one letter and at most three. Case does not count; of
    /// equally near words the first in alphabetical order wins.
    package static func to(_ word: String, among candidates: some Sequence<String>) -> String? {
        let target = Array(word.lowercased().unicodeScalars.prefix(Self.longest + 1))
        guard !target.isEmpty, target.count <= Self.longest else { return nil }
        var allowed = min(3, max(1, target.count / 3))
        var best: String?
        for candidate in candidates where candidate != word {
            let letters = Array(candidate.lowercased().unicodeScalars.prefix(Self.longest + 1))
            guard abs(letters.count - target.count) <= allowed else { continue }
            let distance = Self.distance(target, letters)
            guard distance <= allowed, letters.count > distance else { continue }
            if let best, distance == allowed, best <= candidate { continue }
            best = candidate
            allowed = distance
        }
        return best
    }

    /// `; did you mean 'replicas'?`, the end of an error about `word`; or another end when no candidate is near.
    package static func hint(
        for word: String,
        among candidates: some Sequence<String>,
        otherwise end: String = ""
    ) -> String {
        self.to(word, among: candidates).map { "; did you mean '\($0)'?" } ?? end
    }

    /// Longer words are not compared.
    private static let longest = 64

    private static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
        var beforePrevious = [Int](repeating: 0, count: second.count + 1)
        var previous = Array(0...second.count)
        var current = previous
        for row in first.indices {
            current[0] = row + 1
            for column in second.indices {
                let substitution = previous[column] + (first[row] == second[column] ? 0 : 1)
                var cost = min(previous[column + 1] + 1, current[column] + 1, substitution)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    cost = min(cost, beforePrevious[column - 1] + 1)
                }
                current[column + 1] = cost
            }
            (beforePrevious, previous, current) = (previous, current, beforePrevious)
        }
        return previous[second.count]
    }
}
