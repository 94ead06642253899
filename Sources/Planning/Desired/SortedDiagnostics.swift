internal import Schema

/// Diagnostics in the order of their places; a change of a few costs little, however many there are.
struct SortedDiagnostics: Sendable {
    private(set) var all: [Diagnostic] = []

    /// More changes than this are sorted together with the rest.
    private static let fewChanges = 64

    /// Takes out one of each of `old`, and puts in `new`.
    mutating func replace(_ old: [Diagnostic], with new: [Diagnostic]) {
        guard old.count + new.count > Self.fewChanges else {
            for diagnostic in old { self.remove(diagnostic) }
            for diagnostic in new { self.all.insert(diagnostic, at: self.position(of: diagnostic)) }
            return
        }
        var gone = Dictionary(old.map { ($0, 1) }, uniquingKeysWith: +)
        if !gone.isEmpty {
            self.all.removeAll { diagnostic in
                guard let count = gone[diagnostic], count > 0 else { return false }
                gone[diagnostic] = count - 1
                return true
            }
        }
        self.all += new
        self.all.sort()
    }

    /// Whether an error stands at a place already.
    func hasError(at location: SourceLocation) -> Bool {
        var position = self.position { $0.location < location }
        while position < self.all.count, self.all[position].location == location {
            if self.all[position].severity == .error { return true }
            position += 1
        }
        return false
    }

    private mutating func remove(_ diagnostic: Diagnostic) {
        let position = self.position(of: diagnostic)
        guard position < self.all.count, self.all[position] == diagnostic else { return }
        self.all.remove(at: position)
    }

    /// Where a diagnostic stands, or would stand: in front of everything that is not less.
    private func position(of diagnostic: Diagnostic) -> Int {
        self.position { $0 < diagnostic }
    }

    /// How many diagnostics come before a place in their order.
    private func position(_ isBefore: (Diagnostic) -> Bool) -> Int {
        var (low, high) = (0, self.all.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self.all[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
