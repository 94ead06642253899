package import Planning

/// Decides what one session computes next: which requests get its slots, and which tokens make the next batch.
///
/// A pure state machine. Its shell repeats four calls: ``admit()`` gives waiting jobs to free slots, ``formBatch()``
/// fills ``batch`` and ``samplePoints``, ``batchDecoded()`` (or ``batchFailed()``) says how the computing went, and
/// ``receive(_:inSlot:)`` takes a sampled token for every sample point and returns what the caller gets to see.
///
/// Prompts are read in chunks beside the single tokens of answers under way, so that a long prompt delays nobody by more
/// than one batch. What a slot computed stays in its cache: a later request that begins alike reads only its rest.
/// Adapters work on whole batches, so requests with different ones, and texts to embed, take turns.
package struct ContinuousBatcher: Sendable {
    /// A job that got a slot, and what has to be done to the slot's cache before the next batch.
    package struct Admission: Sendable, Hashable {
        package var job: SessionJob
        package var slot: Int
        /// Tokens of the prompt that need not be read again; what the slot holds beyond them is to be removed.
        package var reusedTokens: Int
        /// The slot whose first `reusedTokens` tokens are to be copied first; nil where the slot holds them itself.
        package var copiedFrom: Int?
    }

    /// Where a token is to be sampled, or an embedding to be read, once the batch is computed.
    package struct SamplePoint: Sendable, Hashable {
        package var slot: Int
        /// The index in ``batch`` of the entry whose logits count.
        package var entry: Int
    }

    /// What requests must have in common to share a batch.
    package enum Group: Sendable, Hashable {
        case generation(adapters: [String])
        case embedding
    }

    /// A token that the sampler chose.
    package struct SampledToken: Sendable, Hashable {
        package var token: Token
        package var bytes: [UInt8]
        /// Whether it ends the answer; then it is no part of it.
        package var endsGeneration: Bool
        package var probability: TokenLogProbability?

        package init(token: Token, bytes: [UInt8], endsGeneration: Bool, probability: TokenLogProbability? = nil) {
            self.token = token
            self.bytes = bytes
            self.endsGeneration = endsGeneration
            self.probability = probability
        }
    }

    /// What one token adds to its answer.
    package struct Progress: Sendable, Hashable {
        package var text: String
        package var logProbabilities: [TokenLogProbability]
        /// Set with the last piece; the slot is free then.
        package var finish: FinishReason?
        package var usage: TokenUsage
    }

    /// How many batches one group computes in a row while others wait.
    static let stepsPerTurn = 8

    let contextLength: Int
    let batchLimit: Int
    var slots: [BatcherSlot]
    var queue = JobQueue()
    /// The slots that have work, longest held first.
    var activeSlots: [Int] = []
    var group: Group = .generation(adapters: [])
    var stepsLeft = ContinuousBatcher.stepsPerTurn
    var step: UInt64 = 0

    /// What to compute next, after ``formBatch()``.
    package internal(set) var batch: [BatchEntry] = []
    /// Where to sample after computing it.
    package internal(set) var samplePoints: [SamplePoint] = []

    /// - Parameters:
    ///   - slots: sequences of the session, at least 1.
    ///   - contextLength: tokens that one sequence holds.
    ///   - batchLimit: entries of one batch, at least 1.
    package init(slots: Int, contextLength: Int, batchLimit: Int) {
        self.slots = Array(repeating: BatcherSlot(), count: slots)
        self.contextLength = contextLength
        self.batchLimit = batchLimit
    }

    /// Whether there is nothing to do.
    package var isIdle: Bool { self.activeSlots.isEmpty && self.queue.isEmpty }

    /// How many jobs wait for a slot.
    package var waitingCount: Int { self.queue.count }

    /// The group whose tokens ``batch`` holds.
    package var batchGroup: Group { self.group }

    /// The answer being written in a slot, for its sampling parameters.
    package func generationJob(inSlot slot: Int) -> GenerationJob? {
        self.slots[slot].generation?.job
    }

    package mutating func enqueue(_ job: SessionJob) {
        self.queue.append(job)
    }

    /// Forgets a job. Its slot, if it has one, is free from now on; what was computed stays for others to reuse.
    ///
    /// - Returns: The slot that it had.
    package mutating func cancel(_ id: JobID) -> Int? {
        if self.queue.remove(id) { return nil }
        guard let slot = self.activeSlots.first(where: { self.slots[$0].jobID == id }) else { return nil }
        self.release(slot)
        return slot
    }

    /// Books the batch as computed.
    package mutating func batchDecoded() {
        var index = 0
        while index < self.batch.count {
            let slot = Int(self.batch[index].sequence)
            let share = self.slots[slot].share
            for entry in self.batch[index..<index + share] { self.slots[slot].cached.append(entry.token) }
            self.slots[slot].share = 0
            index += share
        }
    }

    /// Books the batch as failed: its jobs end here, and what its slots' caches hold is not known any more.
    ///
    /// - Returns: The slots and jobs that were part of it.
    package mutating func batchFailed() -> [(slot: Int, job: JobID)] {
        let failed = self.activeSlots.filter { self.slots[$0].share > 0 }
        return failed.compactMap { slot in
            self.slots[slot].share = 0
            self.slots[slot].cached.removeAll()
            defer { self.release(slot) }
            return self.slots[slot].jobID.map { (slot, $0) }
        }
    }

    /// Takes the token that was sampled for a slot of the last batch.
    package mutating func receive(_ sampled: SampledToken, inSlot slot: Int) -> Progress {
        guard self.slots[slot].generation != nil else {
            preconditionFailure("slot \(slot) writes no answer")
        }
        if sampled.endsGeneration { return self.finish(slot, reason: .stop) }
        self.slots[slot].generation?.generatedTokens += 1
        self.slots[slot].generation?.pending = sampled.token
        let piece =
            self.slots[slot].generation?.assembler.append(sampled.bytes, probability: sampled.probability)
            ?? AnswerAssembler.Piece()
        if piece.isStopped { return self.finish(slot, reason: .stop, lastPiece: piece) }
        if self.isLong(slot) { return self.finish(slot, reason: .length, lastPiece: piece) }
        return Progress(
            text: piece.text,
            logProbabilities: piece.logProbabilities,
            finish: nil,
            usage: TokenUsage()
        )
    }

    /// Ends an embedding whose vector was read, and names it.
    package mutating func finishEmbedding(inSlot slot: Int) -> JobID? {
        defer { self.release(slot) }
        return self.slots[slot].embedding?.id
    }

    /// Whether the last token was the last that its limit, or the context, allows.
    private func isLong(_ slot: Int) -> Bool {
        guard let generation = self.slots[slot].generation else { return false }
        return generation.generatedTokens >= generation.job.maxTokens ?? Int.max
            || self.slots[slot].cached.count >= self.contextLength
    }

    private mutating func finish(
        _ slot: Int,
        reason: FinishReason,
        lastPiece: AnswerAssembler.Piece = AnswerAssembler.Piece()
    ) -> Progress {
        defer { self.release(slot) }
        guard var generation = self.slots[slot].generation else { preconditionFailure("slot \(slot) is free") }
        let rest = lastPiece.isStopped ? AnswerAssembler.Piece() : generation.assembler.finish()
        return Progress(
            text: lastPiece.text + rest.text,
            logProbabilities: lastPiece.logProbabilities + rest.logProbabilities,
            finish: reason,
            usage: TokenUsage(
                promptTokens: generation.job.prompt.count,
                completionTokens: generation.generatedTokens,
                cachedTokens: generation.reusedTokens
            )
        )
    }

    private mutating func release(_ slot: Int) {
        // What an embedding leaves in a cache is no beginning of any prompt.
        if self.slots[slot].embedding != nil { self.slots[slot].cached.removeAll() }
        self.slots[slot].generation = nil
        self.slots[slot].embedding = nil
        self.activeSlots.removeAll { $0 == slot }
    }
}
