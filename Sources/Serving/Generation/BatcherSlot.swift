internal import Planning

/// One sequence of a session, as the batcher keeps books on it.
struct BatcherSlot: Sendable {
    /// An answer that is being written.
    struct Generation: Sendable {
        var job: GenerationJob
        var assembler: AnswerAssembler
        /// Sampled, shown, and not yet in the cache; nil while the prompt is being read.
        var pending: Token?
        var generatedTokens = 0
        /// Tokens of the prompt that the cache held from the start.
        let reusedTokens: Int

        init(job: GenerationJob, reusedTokens: Int) {
            self.job = job
            self.reusedTokens = reusedTokens
            self.assembler = AnswerAssembler(stop: job.stop)
        }
    }

    /// What the session's cache holds of this sequence, by position.
    var cached: [Token] = []
    /// The adapters that were in effect when the cache was computed.
    var adapters: [String] = []
    var generation: Generation?
    var embedding: EmbeddingJob?
    /// The step in which the slot's work was last part of a batch, or in which it got its work.
    var lastStep: UInt64 = 0
    /// Entries of the batch that is being computed.
    var share = 0

    var isFree: Bool { self.generation == nil && self.embedding == nil }

    var jobID: JobID? { self.generation?.job.id ?? self.embedding?.id }

    /// Tokens that the next batches have to read before this slot's turn is done.
    var waitingTokens: Int {
        if let generation = self.generation {
            return generation.pending == nil ? generation.job.prompt.count - self.cached.count : 1
        }
        return self.embedding?.tokens.count ?? 0
    }

    /// How many tokens of a prompt the cache already holds; the last one is always left to be read, for its logits.
    func reusableTokens(of job: GenerationJob) -> Int {
        guard self.adapters == job.adapters else { return 0 }
        return zip(self.cached, job.prompt.dropLast()).prefix { $0 == $1 }.count
    }
}
