/// A regular expression that is matched in one pass, however a text was made up to take long: for texts of callers.
///
/// It knows characters, `.`, sets, `\d \w \s` and their opposites, `\b \B`, `^ $`, groups, alternatives, repetitions and
/// the flags `i`, `m` and `s`. What needs going back in the text, such as references to groups and looking ahead or
/// behind, is refused. Characters are Unicode scalars, as everywhere in a pattern.
package struct LinearPattern: Sendable, Hashable {
    enum Instruction: Sendable, Hashable {
        /// Goes on behind one character of a set: by its number, and by what it takes of ASCII, a bit for each.
        case character(set: Int, ascii: ASCIIBits)
        /// Goes on at both places.
        case fork(Int, Int)
        case jump(Int)
        case require(Assertion)
        case match
    }

    enum Assertion: Sendable, Hashable {
        case textStart
        case textEnd
        case lineStart
        case lineEnd
        case wordBoundary
        case noWordBoundary
    }

    /// The most instructions that a pattern may come to: the time for a text is bounded by both sizes.
    package static let mostInstructions = 2000

    private let program: [Instruction]
    private let sets: [CharacterSet]

    /// Compiles a pattern. Throws `PatternInvalid`, which says what cannot be done.
    package init(_ pattern: String) throws(MartletError) {
        guard pattern.unicodeScalars.count <= RegularExpression.longest else {
            throw MartletError("PatternInvalid", "it has more than \(RegularExpression.longest) characters")
        }
        var parser = PatternParser(pattern)
        var compiler = PatternCompiler()
        try compiler.append(try parser.parse())
        self.program = compiler.program + [.match]
        self.sets = compiler.sets
    }

    /// Whether it occurs anywhere in a text.
    package func occurs(in text: [Unicode.Scalar]) -> Bool {
        var found = false
        self.search(text) { _ in
            found = true
            return false
        }
        return found
    }

    /// The stretches of a text that its occurrences cover, in order; those that touch or overlap are one.
    ///
    /// Every character of every possible occurrence is covered: whether a repetition asks for more or for less makes no
    /// difference.
    package func occurrences(in text: [Unicode.Scalar]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        self.search(text) { range in
            var range = range
            while let last = found.last, last.upperBound >= range.lowerBound {
                range = min(last.lowerBound, range.lowerBound)..<range.upperBound
                found.removeLast()
            }
            found.append(range)
            return true
        }
        return found
    }

    /// Gives the longest occurrence that ends at each place, until `receive` wants no more.
    private func search(_ text: [Unicode.Scalar], _ receive: (Range<Int>) -> Bool) {
        // All ways to match go on at once, each instruction once, with the earliest beginning that leads to it.
        var now = Threads(capacity: self.program.count)
        var next = Threads(capacity: self.program.count)
        for position in 0...text.count {
            self.follow(0, from: position, at: position, in: text, &now)
            for (instruction, start) in now.waiting {
                switch self.program[instruction] {
                case .match: if start < position, !receive(start..<position) { return }
                case .character(let set, let ascii):
                    guard position < text.count else { continue }
                    let scalar = text[position]
                    guard ascii.tell(scalar) ?? self.sets[set].contains(scalar) else { continue }
                    self.follow(instruction + 1, from: start, at: position + 1, in: text, &next)
                case .fork, .jump, .require: continue
                }
            }
            swap(&now, &next)
            next.clear()
        }
    }

    /// The instructions at which something waits, in the order of their beginnings.
    private struct Threads {
        private(set) var waiting: [(instruction: Int, start: Int)] = []
        private var visited: [Int]
        private var round = 1
        var open: [Int] = []

        init(capacity: Int) {
            self.visited = Array(repeating: 0, count: capacity)
        }

        mutating func visit(_ instruction: Int) -> Bool {
            guard self.visited[instruction] != self.round else { return false }
            self.visited[instruction] = self.round
            return true
        }

        mutating func wait(at instruction: Int, from start: Int) { self.waiting.append((instruction, start)) }

        mutating func clear() {
            self.waiting.removeAll(keepingCapacity: true)
            self.round += 1
        }
    }

    /// Goes on, without a character, to all that can be reached from an instruction.
    private func follow(
        _ instruction: Int,
        from start: Int,
        at position: Int,
        in text: [Unicode.Scalar],
        _ threads: inout Threads
    ) {
        threads.open.append(instruction)
        while let instruction = threads.open.popLast() {
            guard threads.visit(instruction) else { continue }
            switch self.program[instruction] {
            case .fork(let one, let other):
                threads.open.append(other)
                threads.open.append(one)
            case .jump(let target): threads.open.append(target)
            case .require(let assertion):
                if assertion.holds(at: position, in: text) { threads.open.append(instruction + 1) }
            case .character, .match: threads.wait(at: instruction, from: start)
            }
        }
    }
}

extension LinearPattern.Assertion {
    fileprivate func holds(at position: Int, in text: [Unicode.Scalar]) -> Bool {
        switch self {
        case .textStart: position == 0
        case .textEnd: position == text.count
        case .lineStart: position == 0 || text[position - 1] == "\n"
        case .lineEnd: position == text.count || text[position] == "\n"
        case .wordBoundary: Self.isBoundary(position, in: text)
        case .noWordBoundary: !Self.isBoundary(position, in: text)
        }
    }

    private static func isBoundary(_ position: Int, in text: [Unicode.Scalar]) -> Bool {
        let before = position > 0 && text[position - 1].isOfWord
        let behind = position < text.count && text[position].isOfWord
        return before != behind
    }
}
