internal import Planning

extension ContinuousBatcher {
    /// Fills ``batch`` and ``samplePoints`` with the next thing to compute.
    ///
    /// - Returns: Whether there is anything.
    package mutating func formBatch() -> Bool {
        self.batch.removeAll(keepingCapacity: true)
        self.samplePoints.removeAll(keepingCapacity: true)
        guard !self.activeSlots.isEmpty else { return false }
        self.step += 1
        self.chooseGroup()
        switch self.group {
        case .generation: self.shareGenerationBatch()
        case .embedding: self.shareEmbeddingBatch()
        }
        // By slot, not by arrival: libllama computes together only sequences that follow each other in a batch, and
        // takes any other order apart, at worst into one computation for each.
        for slot in self.slots.indices where self.slots[slot].share > 0 { self.appendEntries(of: slot) }
        return true
    }

    /// Stays with the group at work until its turn is over or it has no work, then goes to the one that waits longest.
    private mutating func chooseGroup() {
        self.stepsLeft -= 1
        let hasWork = self.activeSlots.contains { self.isInGroup($0) }
        if hasWork, self.stepsLeft > 0 { return }
        self.stepsLeft = Self.stepsPerTurn
        let others = self.activeSlots.filter { !self.isInGroup($0) }
        guard let slot = others.min(by: { self.slots[$0].lastStep < self.slots[$1].lastStep }) else { return }
        self.group = self.group(of: slot)
    }

    private func group(of slot: Int) -> Group {
        guard let generation = self.slots[slot].generation else { return .embedding }
        return .generation(adapters: generation.job.adapters)
    }

    private func isInGroup(_ slot: Int) -> Bool {
        switch self.group {
        case .generation(let adapters): self.slots[slot].generation.map { $0.job.adapters == adapters } ?? false
        case .embedding: self.slots[slot].embedding != nil
        }
    }

    /// Gives every slot of the group one token, the longest waiting first, then the room that is left to prompts.
    private mutating func shareGenerationBatch() {
        var room = self.batchLimit
        for slot in self.groupSlotsByWait() where room > 0 {
            self.slots[slot].share = 1
            room -= 1
        }
        for slot in self.activeSlots where room > 0 && self.slots[slot].share > 0 {
            let chunk = min(self.slots[slot].waitingTokens - 1, room)
            self.slots[slot].share += chunk
            room -= chunk
        }
    }

    /// The group's slots; sorted only when the batch is too small for all of them.
    private func groupSlotsByWait() -> [Int] {
        let slots = self.activeSlots.filter { self.isInGroup($0) }
        if slots.count <= self.batchLimit { return slots }
        return slots.sorted { (self.slots[$0].lastStep, $0) < (self.slots[$1].lastStep, $1) }
    }

    /// Takes as many whole texts as the batch has room for, in their order.
    private mutating func shareEmbeddingBatch() {
        var room = self.batchLimit
        for slot in self.activeSlots where self.isInGroup(slot) {
            let count = self.slots[slot].waitingTokens
            if count > room { return }
            self.slots[slot].share = count
            room -= count
        }
    }

    private mutating func appendEntries(of slot: Int) {
        self.slots[slot].lastStep = self.step
        let start = self.slots[slot].cached.count
        if let embedding = self.slots[slot].embedding {
            for (index, token) in embedding.tokens.enumerated() {
                self.append(token, of: slot, at: index, wantsLogits: true)
            }
        } else if let pending = self.slots[slot].generation?.pending {
            self.append(pending, of: slot, at: start, wantsLogits: true)
        } else if let prompt = self.slots[slot].generation?.job.prompt {
            for index in start..<start + self.slots[slot].share {
                self.append(prompt[index], of: slot, at: index, wantsLogits: index == prompt.count - 1)
            }
        }
        if let last = self.batch.last, last.wantsLogits {
            self.samplePoints.append(SamplePoint(slot: slot, entry: self.batch.count - 1))
        }
    }

    private mutating func append(_ token: Token, of slot: Int, at position: Int, wantsLogits: Bool) {
        self.batch.append(
            BatchEntry(
                token: token,
                position: Int32(position),
                sequence: Int32(slot),
                wantsLogits: wantsLogits
            )
        )
    }
}
