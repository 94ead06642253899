internal import Planning
internal import Schema
internal import Synchronization

/// What a session's thread does: runs the batcher's decisions against the engine. Lives and dies on that thread.
struct SessionLoop {
    /// After so many failed batches in a row the session is given up.
    static let failuresAllowed = 2

    private let driver: SessionDriver
    private let session: any LanguageSession
    private let model: any LanguageModel
    private var batcher: ContinuousBatcher
    /// By slot; a slot that has work has both, an embedding's has no sampler.
    private var samplers: [(any TokenSampler)?]
    private var recipients: [SessionDriver.Recipient?]
    private var waitingRecipients: [JobID: SessionDriver.Recipient] = [:]
    private var adapters: [String] = []
    private var failuresInARow = 0
    private var isRetiring = false
    private var isStopping = false

    init(driver: SessionDriver, model: any LanguageModel) {
        let description = model.description
        self.driver = driver
        self.session = driver.session
        self.model = model
        self.batcher = ContinuousBatcher(
            slots: description.slots,
            contextLength: description.contextLength,
            batchLimit: driver.session.batchLimit
        )
        self.samplers = Array(repeating: nil, count: description.slots)
        self.recipients = Array(repeating: nil, count: description.slots)
    }

    /// Works until it is told to stop, then closes the session.
    mutating func run() {
        while !self.isStopping, !(self.isRetiring && self.batcher.isIdle) {
            self.readMail()
            if self.isStopping || self.batcher.isIdle { continue }
            self.driver.pulse.wrappingAdd(1, ordering: .relaxed)
            self.takeStep()
            self.driver.pulse.wrappingAdd(1, ordering: .relaxed)
        }
        self.samplers.removeAll()
        self.driver.pulse.wrappingAdd(1, ordering: .relaxed)
        self.session.close()
        self.driver.pulse.wrappingAdd(1, ordering: .relaxed)
    }

    // MARK: Letters

    private mutating func readMail() {
        let letters = self.batcher.isIdle ? self.driver.mailbox.waitForLetters() : self.driver.mailbox.takeLetters()
        for letter in letters {
            switch letter {
            case .submit(let job, let recipient):
                self.waitingRecipients[job.id] = recipient
                self.batcher.enqueue(job)
            case .cancel(let id):
                self.cancel(id)
            case .retire:
                self.isRetiring = true
            case .stop:
                self.isStopping = true
            }
        }
    }

    private mutating func cancel(_ id: JobID) {
        self.waitingRecipients[id] = nil
        if let slot = self.batcher.cancel(id) { self.clear(slot) }
        self.driver.finish(id)
    }

    // MARK: Steps

    private mutating func takeStep() {
        for admission in self.batcher.admit() { self.begin(admission) }
        guard self.batcher.formBatch(), self.applyAdapters() else { return }
        do {
            try self.session.decode(self.batcher.batch)
        } catch {
            self.batchFailed(error)
            return
        }
        self.failuresInARow = 0
        self.batcher.batchDecoded()
        let points = self.batcher.samplePoints
        switch self.batcher.batchGroup {
        case .generation: for point in points { self.sample(at: point) }
        case .embedding: for point in points { self.readEmbedding(at: point) }
        }
    }

    private mutating func begin(_ admission: ContinuousBatcher.Admission) {
        let slot = Int32(admission.slot)
        let reused = Int32(admission.reusedTokens)
        if let source = admission.copiedFrom {
            self.session.copyTokens(fromSequence: Int32(source), toSequence: slot, length: reused)
        } else {
            self.session.removeTokens(ofSequence: slot, from: reused, to: nil)
        }
        self.recipients[admission.slot] = self.waitingRecipients.removeValue(forKey: admission.job.id)
        guard case .generation(let job) = admission.job else { return }
        do {
            self.samplers[admission.slot] = try self.session.makeSampler(job.sampling)
        } catch {
            self.fail(job.id, inSlot: admission.slot, with: error)
        }
    }

    /// Puts the group's adapters in effect; on failure its requests end.
    private mutating func applyAdapters() -> Bool {
        guard case .generation(let wanted) = self.batcher.batchGroup, wanted != self.adapters else { return true }
        do {
            try self.session.setAdapters(wanted)
            self.adapters = wanted
            return true
        } catch {
            for (slot, job) in self.batcher.batchFailed() { self.end(job, inSlot: slot, throwing: error) }
            return false
        }
    }

    private mutating func batchFailed(_ error: any Error) {
        for (slot, job) in self.batcher.batchFailed() {
            self.session.removeTokens(ofSequence: Int32(slot), from: 0, to: nil)
            self.end(job, inSlot: slot, throwing: error)
        }
        self.failuresInARow += 1
        let isAborted = (error as? MartletError)?.code == MartletError.aborted.code
        guard isAborted || self.failuresInARow > Self.failuresAllowed else { return }
        self.isStopping = true
        if self.driver.isStopping { return }
        self.driver.fail(
            MartletError(
                "SessionFailed",
                "the engine failed \(self.failuresInARow) batches in a row; the last time it said: \(error)",
                disposition: .retryable,
                cause: error
            )
        )
    }

    private mutating func sample(at point: ContinuousBatcher.SamplePoint) {
        guard let sampler = self.samplers[point.slot], let job = self.batcher.generationJob(inSlot: point.slot) else {
            return
        }
        do {
            let token = try sampler.sample(at: point.entry)
            let endsGeneration = self.model.endsGeneration(token)
            let bytes = endsGeneration ? [] : self.model.bytes(of: token)
            var sampled = ContinuousBatcher.SampledToken(token: token, bytes: bytes, endsGeneration: endsGeneration)
            if let top = job.topLogProbabilities, !endsGeneration {
                sampled.probability = try self.logProbability(of: token, bytes: bytes, at: point.entry, top: top)
            }
            self.show(self.batcher.receive(sampled, inSlot: point.slot), of: job.id, inSlot: point.slot)
        } catch {
            self.fail(job.id, inSlot: point.slot, with: error)
        }
    }

    private mutating func show(_ progress: ContinuousBatcher.Progress, of job: JobID, inSlot slot: Int) {
        guard let recipient = self.recipients[slot] else { return }
        if !progress.text.isEmpty || !progress.logProbabilities.isEmpty {
            recipient.receive(.text(progress.text, logProbabilities: progress.logProbabilities))
        }
        guard let reason = progress.finish else { return }
        recipient.receive(.finished(reason, progress.usage))
        self.end(job, inSlot: slot)
    }

    private func logProbability(
        of token: Token,
        bytes: [UInt8],
        at entry: Int,
        top count: Int
    ) throws -> TokenLogProbability {
        let (chosen, top) = try self.session.logProbabilities(at: entry, of: token, top: count)
        return self.describe(chosen, alternatives: top.map { self.describe($0, alternatives: []) })
    }

    private func describe(_ token: TokenProbability, alternatives: [TokenLogProbability]) -> TokenLogProbability {
        let bytes = self.model.bytes(of: token.token)
        return TokenLogProbability(
            text: String(decoding: bytes, as: UTF8.self),
            bytes: bytes,
            logProbability: token.logProbability,
            alternatives: alternatives
        )
    }

    private mutating func readEmbedding(at point: ContinuousBatcher.SamplePoint) {
        let result = Result { try self.session.embedding(ofSequence: Int32(point.slot)) }
        guard let job = self.batcher.finishEmbedding(inSlot: point.slot) else { return }
        switch result {
        case .success(let vector):
            if case .vector(let stream, let index) = self.recipients[point.slot] { stream.yield((index, vector)) }
            self.end(job, inSlot: point.slot)
        case .failure(let error):
            self.end(job, inSlot: point.slot, throwing: error)
        }
    }

    // MARK: Ends

    private mutating func fail(_ job: JobID, inSlot slot: Int, with error: any Error) {
        _ = self.batcher.cancel(job)
        self.end(job, inSlot: slot, throwing: error)
    }

    private mutating func end(_ job: JobID, inSlot slot: Int, throwing error: (any Error)? = nil) {
        self.clear(slot)
        self.driver.finish(job, throwing: error)
    }

    private mutating func clear(_ slot: Int) {
        self.samplers[slot] = nil
        self.recipients[slot] = nil
    }
}
