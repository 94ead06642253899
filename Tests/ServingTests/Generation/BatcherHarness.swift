import Planning
import Testing

@testable import Serving

/// Runs a batcher against the strictest of engines: a cache per slot whose positions must follow each other.
///
/// Every request is answered with the token 1000, 1001, … for as long as its limit allows.
struct BatcherHarness {
    var batcher: ContinuousBatcher
    /// What the engine's caches hold, by slot.
    private(set) var caches: [[Token]]
    private(set) var admissions: [ContinuousBatcher.Admission] = []
    /// Jobs with an entry in each batch, sorted.
    private(set) var steps: [[UInt64]] = []
    private(set) var batchSizes: [Int] = []
    private(set) var finished: [UInt64: FinishReason] = [:]
    private var jobs: [Int: UInt64] = [:]
    private let batchLimit: Int

    init(slots: Int, contextLength: Int = 100, batchLimit: Int = 16) {
        self.batcher = ContinuousBatcher(slots: slots, contextLength: contextLength, batchLimit: batchLimit)
        self.caches = Array(repeating: [], count: slots)
        self.batchLimit = batchLimit
    }

    mutating func enqueue(
        _ number: UInt64,
        prompt: [Token],
        maxTokens: Int? = 3,
        adapters: [String] = [],
        priority: RequestPriority = .normal
    ) {
        self.batcher.enqueue(
            .generation(
                GenerationJob(
                    id: JobID(number),
                    prompt: prompt,
                    maxTokens: maxTokens,
                    adapters: adapters,
                    priority: priority
                )
            )
        )
    }

    mutating func embed(_ number: UInt64, tokens: [Token]) {
        self.batcher.enqueue(.embedding(EmbeddingJob(id: JobID(number), tokens: tokens)))
    }

    /// Steps until nothing is left to do, at most `limit` times.
    mutating func run(limit: Int = 1000) {
        for _ in 0..<limit where !self.batcher.isIdle { self.step() }
        #expect(self.batcher.isIdle, "work is left after \(limit) steps")
    }

    mutating func step() {
        self.prepare()
        guard self.batcher.formBatch() else { return }
        self.compute()
        self.batcher.batchDecoded()
        for point in self.batcher.samplePoints {
            #expect(self.batcher.batch[point.entry].wantsLogits)
            #expect(self.batcher.batch[point.entry].sequence == Int32(point.slot))
            self.answer(point)
        }
    }

    /// Steps, but the engine fails the batch.
    mutating func failStep() -> [UInt64] {
        self.prepare()
        let hasWork = self.batcher.formBatch()
        #expect(hasWork)
        return self.batcher.batchFailed().map(\.job.number).sorted()
    }

    private mutating func prepare() {
        for admission in self.batcher.admit() {
            let source = admission.copiedFrom ?? admission.slot
            self.caches[admission.slot] = Array(self.caches[source].prefix(admission.reusedTokens))
            self.jobs[admission.slot] = admission.job.id.number
            self.admissions.append(admission)
        }
    }

    private mutating func compute() {
        #expect(self.batcher.batch.count <= self.batchLimit)
        #expect(!self.batcher.batch.isEmpty)
        for entry in self.batcher.batch {
            #expect(Int(entry.position) == self.caches[Int(entry.sequence)].count)
            self.caches[Int(entry.sequence)].append(entry.token)
        }
        self.batchSizes.append(self.batcher.batch.count)
        self.steps.append(Set(self.batcher.batch.compactMap { self.jobs[Int($0.sequence)] }).sorted())
    }

    private mutating func answer(_ point: ContinuousBatcher.SamplePoint) {
        switch self.batcher.batchGroup {
        case .embedding:
            if let id = self.batcher.finishEmbedding(inSlot: point.slot) { self.finished[id.number] = .stop }
        case .generation:
            let job = self.jobs[point.slot] ?? 0
            let token = Token(1000 + self.caches[point.slot].count)
            let sampled = ContinuousBatcher.SampledToken(token: token, bytes: [65], endsGeneration: false)
            let progress = self.batcher.receive(sampled, inSlot: point.slot)
            if let reason = progress.finish { self.finished[job] = reason }
        }
    }
}
