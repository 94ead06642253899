/// Finds the first stop text in a stream of bytes, and holds back whatever may turn out to be the beginning of one.
///
/// The first is the one that is complete first; of two that end together, the longer. So the answer does not depend on
/// how the model cut its text into tokens.
package struct StopScanner: Sendable {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []

    /// Empty stop texts are left out.
    package init(_ stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
    }

    /// Whether there is nothing to look for.
    package var isIdle: Bool { self.stops.isEmpty }

    /// Takes bytes, and appends those to `answer` that cannot belong to a stop text.
    ///
    /// - Returns: Whether a stop text came up; it and what follows it are not part of the answer.
    package mutating func append(_ bytes: [UInt8], to answer: inout [UInt8]) -> Bool {
        for byte in bytes {
            self.held.append(byte)
            if let length = self.lengthOfStopAtEnd() {
                answer.append(contentsOf: self.held.dropLast(length))
                self.held.removeAll()
                return true
            }
        }
        let kept = self.lengthOfBeginningAtEnd()
        answer.append(contentsOf: self.held.dropLast(kept))
        self.held.removeFirst(self.held.count - kept)
        return false
    }

    /// Appends what was held back: the stream ended and no stop text can come any more.
    package mutating func finish(into answer: inout [UInt8]) {
        answer.append(contentsOf: self.held)
        self.held.removeAll()
    }

    /// The length of the longest stop text that the held bytes end with.
    private func lengthOfStopAtEnd() -> Int? {
        self.stops.lazy.filter { self.held.ends(with: $0, length: $0.count) }.map(\.count).max()
    }

    /// The length of the longest beginning of a stop text that the held bytes end with.
    private func lengthOfBeginningAtEnd() -> Int {
        var longest = 0
        for stop in self.stops {
            let candidates = stride(from: min(stop.count - 1, self.held.count), to: longest, by: -1)
            if let length = candidates.first(where: { self.held.ends(with: stop, length: $0) }) { longest = length }
        }
        return longest
    }
}

extension [UInt8] {
    /// Whether these bytes end with the first `length` bytes of a pattern.
    fileprivate func ends(with pattern: [UInt8], length: Int) -> Bool {
        self.count >= length && self.suffix(length).elementsEqual(pattern.prefix(length))
    }
}
