internal import Planning

/// One sequence that is generated greedily, step by step, so that checks can interleave several.
struct GreedySequence {
    let session: any LanguageSession
    let sequence: Int32
    private(set) var position: Int32 = 0
    private(set) var generated: [Token] = []
    private var sampler: (any TokenSampler)?
    private var pending: [Token]

    init(_ session: any LanguageSession, sequence: Int32 = 0, prompt: [Token], position: Int32 = 0) {
        self.session = session
        self.sequence = sequence
        self.pending = prompt
        self.position = position
    }

    /// The entries that this sequence wants decoded next; only the last one wants logits.
    var entries: [BatchEntry] {
        self.pending.enumerated().map { offset, token in
            BatchEntry(
                token: token,
                position: self.position + Int32(offset),
                sequence: self.sequence,
                wantsLogits: offset == self.pending.count - 1
            )
        }
    }

    /// Samples from the batch that held this sequence's entries, the last of them at `index`.
    mutating func advance(samplingAt index: Int) throws {
        var greedy = SamplingParameters()
        greedy.temperature = 0
        let sampler = try self.sampler ?? self.session.makeSampler(greedy)
        self.sampler = sampler
        self.position += Int32(self.pending.count)
        let token = try sampler.sample(at: index)
        self.generated.append(token)
        self.pending = [token]
    }

    /// Generates `count` tokens alone.
    mutating func run(_ count: Int) throws -> [Token] {
        for _ in 0..<count {
            let entries = self.entries
            try self.session.decode(entries)
            try self.advance(samplingAt: entries.count - 1)
        }
        return self.generated
    }
}
