/// Reciprocal rank fusion: joins rankings by the ranks alone, so that scores of different kinds need no common measure.
///
/// G. V. Cormack, C. L. A. Clarke, S. Büttcher: Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank
/// Learning Methods. SIGIR 2009.
enum RankFusion {
    /// How little the first ranks stand out; the paper's value.
    static let k = 60.0

    /// What is in any of the rankings, the best first; of equals, the piece that comes first.
    static func fuse(_ rankings: [[Ranked]]) -> [Ranked] {
        var scores: [Int: Double] = [:]
        for ranking in rankings {
            for (rank, found) in ranking.enumerated() {
                scores[found.piece, default: 0] += 1 / (self.k + Double(rank + 1))
            }
        }
        return scores.map { Ranked(piece: $0.key, score: $0.value) }
            .sorted { ($1.score, $0.piece) < ($0.score, $1.piece) }
    }
}
