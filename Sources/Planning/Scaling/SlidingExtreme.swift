/// The greatest or the least number within a stretch of time up to now.
///
/// Only what may still become the extreme is kept: an entry goes when a newer one outdoes it.
struct SlidingExtreme: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case greatest
        case least
    }

    private struct Entry: Sendable, Hashable {
        var number: Double
        /// When the next look found another one; nil: it is so now.
        var until: Duration?
    }

    private let kind: Kind
    /// Oldest first, and the most extreme first; never empty.
    private var entries: [Entry]

    /// - Parameter number: What it has been so far.
    init(_ kind: Kind, _ number: Double) {
        self.kind = kind
        self.entries = [Entry(number: number)]
    }

    /// Takes in what the number is from now on; gives the extreme of all that it was since `stretch` ago.
    mutating func record(_ number: Double, at now: Duration, within stretch: Duration) -> Double {
        let newest = self.entries.endIndex - 1
        self.entries[newest].until = self.entries[newest].until ?? now
        while let last = self.entries.last, !self.outdoes(last.number, number) { self.entries.removeLast() }
        self.entries.append(Entry(number: number))
        let start = now - stretch
        let expired = self.entries.prefix { $0.until.map { $0 <= start } ?? false }.count
        self.entries.removeFirst(expired)
        return self.entries[0].number
    }

    private func outdoes(_ one: Double, _ other: Double) -> Bool {
        switch self.kind {
        case .greatest: one > other
        case .least: one < other
        }
    }
}
