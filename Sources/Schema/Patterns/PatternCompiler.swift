/// Puts a parsed pattern into instructions.
struct PatternCompiler {
    private(set) var program: [LinearPattern.Instruction] = []
    private(set) var sets: [LinearPattern.CharacterSet] = []
    /// Parts so far, those of which no instruction came too: nothing can be repeated very often.
    private var parts = 0

    /// Throws `PatternInvalid` when it comes to too many.
    mutating func append(_ node: PatternParser.Node) throws(MartletError) {
        self.parts += 1
        guard max(self.program.count, self.parts / 4) < LinearPattern.mostInstructions else {
            throw MartletError("PatternInvalid", "its repetitions come to too much; repeat less often")
        }
        switch node {
        case .character(let set):
            self.program.append(.character(set: self.sets.count, ascii: LinearPattern.ASCIIBits(of: set)))
            self.sets.append(set)
        case .assertion(let assertion): self.program.append(.require(assertion))
        case .sequence(let parts): for part in parts { try self.append(part) }
        case .alternatives(let branches): try self.append(alternatives: branches[...])
        case .repeated(let part, let least, let most): try self.append(part, least: least, most: most)
        }
    }

    private mutating func append(alternatives branches: ArraySlice<PatternParser.Node>) throws(MartletError) {
        var ends: [Int] = []
        for (index, branch) in zip(branches.indices, branches) {
            guard index < branches.endIndex - 1 else {
                try self.append(branch)
                break
            }
            let fork = self.reserve()
            try self.append(branch)
            ends.append(self.reserve())
            self.program[fork] = .fork(fork + 1, self.program.count)
        }
        for end in ends { self.program[end] = .jump(self.program.count) }
    }

    private mutating func append(_ part: PatternParser.Node, least: Int, most: Int?) throws(MartletError) {
        for _ in 0..<least { try self.append(part) }
        guard let most else {
            let fork = self.reserve()
            try self.append(part)
            self.program.append(.jump(fork))
            self.program[fork] = .fork(fork + 1, self.program.count)
            return
        }
        var forks: [Int] = []
        for _ in least..<most {
            forks.append(self.reserve())
            try self.append(part)
        }
        for fork in forks { self.program[fork] = .fork(fork + 1, self.program.count) }
    }

    /// A place for an instruction that is known later.
    private mutating func reserve() -> Int {
        self.program.append(.match)
        return self.program.count - 1
    }
}
