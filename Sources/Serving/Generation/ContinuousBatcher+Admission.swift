internal import Planning

extension ContinuousBatcher {
    /// The least number of tokens for which a copy from another slot is worth its while.
    static let leastCopiedTokens = 16

    /// Gives free slots to waiting jobs. The shell prepares the caches in the order of the result.
    package mutating func admit() -> [Admission] {
        var admissions: [Admission] = []
        while self.activeSlots.count < self.slots.count, let job = self.queue.popFirst() {
            admissions.append(self.admit(job))
        }
        return admissions
    }

    private mutating func admit(_ job: SessionJob) -> Admission {
        let admission: Admission
        switch job {
        case .generation(let generation): admission = self.place(generation)
        case .embedding: admission = Admission(job: job, slot: self.leastRecentlyUsedSlot(), reusedTokens: 0)
        }
        self.occupy(admission)
        return admission
    }

    /// Chooses a free slot for a request: one whose cache begins like the prompt, or the least recently used one with
    /// the beginning copied from wherever it is. A slot that would lose more than it gives is left as it is.
    private func place(_ job: GenerationJob) -> Admission {
        let reusable = self.slots.map { $0.reusableTokens(of: job) }
        let free = self.slots.indices.filter { self.slots[$0].isFree }
        if let slot = free.max(by: { reusable[$0] < reusable[$1] }), reusable[slot] > 0,
            reusable[slot] >= self.slots[slot].cached.count / 2, reusable[slot] * 2 >= reusable.max() ?? 0
        {
            return Admission(job: .generation(job), slot: slot, reusedTokens: reusable[slot])
        }
        let slot = self.leastRecentlyUsedSlot()
        let source = self.slots.indices.max { reusable[$0] < reusable[$1] } ?? slot
        if reusable[source] >= Self.leastCopiedTokens, reusable[source] > reusable[slot] {
            return Admission(
                job: .generation(job),
                slot: slot,
                reusedTokens: reusable[source],
                copiedFrom: source
            )
        }
        return Admission(job: .generation(job), slot: slot, reusedTokens: reusable[slot])
    }

    /// The free slot whose cache is least likely to be of use: an empty one, or the one used longest ago.
    ///
    /// Of several as good, one beside a slot at work, since neighbours are computed together.
    private func leastRecentlyUsedSlot() -> Int {
        let free = self.slots.indices.filter { self.slots[$0].isFree }
        let slot = free.min { first, second in
            let isBeside = (self.isBesideWork(first), self.isBesideWork(second))
            let (first, second) = (self.slots[first], self.slots[second])
            if first.cached.isEmpty != second.cached.isEmpty { return first.cached.isEmpty }
            if !first.cached.isEmpty, first.lastStep != second.lastStep { return first.lastStep < second.lastStep }
            return isBeside.0 && !isBeside.1
        }
        guard let slot else { preconditionFailure("no slot is free") }
        return slot
    }

    private func isBesideWork(_ slot: Int) -> Bool { self.isAtWork(slot - 1) || self.isAtWork(slot + 1) }

    private func isAtWork(_ slot: Int) -> Bool { self.slots.indices.contains(slot) && !self.slots[slot].isFree }

    private mutating func occupy(_ admission: Admission) {
        let slot = admission.slot
        let reused = self.slots[admission.copiedFrom ?? slot].cached.prefix(admission.reusedTokens)
        self.slots[slot].cached = Array(reused)
        self.slots[slot].lastStep = self.step
        switch admission.job {
        case .generation(let job):
            self.slots[slot].adapters = job.adapters
            self.slots[slot].generation = BatcherSlot.Generation(
                job: job,
                reusedTokens: admission.reusedTokens
            )
        case .embedding(let job):
            self.slots[slot].adapters = []
            self.slots[slot].embedding = job
        }
        self.activeSlots.append(slot)
    }
}
