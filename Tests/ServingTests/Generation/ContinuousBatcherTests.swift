import Planning
import Testing

@testable import Serving

struct ContinuousBatcherTests {
    @Test("A prompt is read in chunks of the batch's size, and answered from its last token")
    func readsPromptsInChunks() {
        var harness = BatcherHarness(slots: 1, batchLimit: 4)
        harness.enqueue(1, prompt: Array(0..<10), maxTokens: 2)
        harness.run()
        #expect(harness.batchSizes == [4, 4, 2, 1])
        #expect(harness.caches[0] == Array(0..<10) + [1010])
        #expect(harness.finished == [1: .length])
    }

    @Test("A long prompt does not stop answers under way")
    func mixesPromptsAndAnswers() {
        var harness = BatcherHarness(slots: 2, batchLimit: 4)
        harness.enqueue(1, prompt: [1], maxTokens: 10)
        harness.step()
        harness.enqueue(2, prompt: Array(100..<109), maxTokens: 1)
        harness.run()
        #expect(harness.steps.prefix(4) == [[1], [1, 2], [1, 2], [1, 2]])
        #expect(harness.batchSizes.prefix(5) == [1, 4, 4, 4, 1])
    }

    @Test("Nobody starves when the batch is smaller than the number of slots", arguments: [1, 2, 3])
    func tinyBatches(limit: Int) {
        var harness = BatcherHarness(slots: 4, batchLimit: limit)
        for number in 1...8 { harness.enqueue(UInt64(number), prompt: [Token(number), 7, 7], maxTokens: 4) }
        harness.run()
        #expect(harness.finished.count == 8)
        let firstRound = harness.steps.prefix(4).flatMap(\.self)
        #expect(Set(firstRound) == [1, 2, 3, 4])
    }

    @Test("A batch has its slots in their order, whoever came first")
    func batchesAreInOrderOfSlots() {
        var harness = BatcherHarness(slots: 4)
        for number in 1...4 { harness.enqueue(UInt64(number), prompt: [Token(number)], maxTokens: 2 * number) }
        harness.step()
        harness.step()
        // The first slot is free again, and its next request is the last to have come.
        harness.enqueue(5, prompt: [5], maxTokens: 20)
        harness.step()
        #expect(harness.admissions[4].slot == harness.admissions[0].slot)
        #expect(harness.batcher.batch.map(\.sequence) == [0, 1, 2, 3])
    }

    @Test("Requests at the same time work in neighbouring slots where that costs no cache")
    func worksInNeighbouringSlots() {
        var harness = BatcherHarness(slots: 6)
        for number in 1...4 { harness.enqueue(UInt64(number), prompt: [Token(number)], maxTokens: 1) }
        harness.run()
        // Slot 3 goes on with what it has; slots 4 and 5 are empty.
        harness.enqueue(5, prompt: [4, 9], maxTokens: 9)
        harness.step()
        harness.enqueue(6, prompt: [6], maxTokens: 9)
        harness.enqueue(7, prompt: [7], maxTokens: 9)
        harness.step()
        #expect(harness.batcher.batch.map(\.sequence) == [3, 4, 5])
    }

    @Test("Conversations beside a long answer keep their caches while there is room")
    func neighboursKeepTheirCaches() {
        var harness = BatcherHarness(slots: 4, contextLength: 1000, batchLimit: 64)
        harness.enqueue(1, prompt: [1], maxTokens: 900)
        harness.step()
        let (first, second) = (Array(Token(100)..<130), Array(Token(200)..<230))
        for turn in UInt64(0)..<3 {
            harness.enqueue(10 + turn, prompt: first, maxTokens: 1)
            for _ in 0..<3 { harness.step() }
            harness.enqueue(20 + turn, prompt: second, maxTokens: 1)
            for _ in 0..<3 { harness.step() }
        }
        #expect(harness.admissions.map(\.reusedTokens) == [0, 0, 0, 29, 29, 29, 29])
    }

    @Test("Waiting requests get slots in their order, the higher priority first")
    func queueOrder() {
        var harness = BatcherHarness(slots: 1)
        harness.enqueue(1, prompt: [1], priority: .background)
        harness.enqueue(2, prompt: [2])
        harness.enqueue(3, prompt: [3], priority: .background)
        harness.enqueue(4, prompt: [4])
        harness.run()
        #expect(harness.admissions.map(\.job.id.number) == [2, 4, 1, 3])
    }

    // MARK: Prefixes

    @Test("A request that begins like an earlier one reads only its rest")
    func reusesPrefixes() {
        var harness = BatcherHarness(slots: 2)
        harness.enqueue(1, prompt: [1, 2, 3, 4, 5, 6])
        harness.run()
        harness.enqueue(2, prompt: [1, 2, 3, 4, 9, 9])
        harness.run()
        #expect(harness.admissions[1].slot == harness.admissions[0].slot)
        #expect(harness.admissions[1].reusedTokens == 4)
        #expect(harness.admissions[1].copiedFrom == nil)
    }

    @Test("The last token of a prompt is read again, since its logits are needed")
    func leavesOneToken() {
        var harness = BatcherHarness(slots: 1)
        harness.enqueue(1, prompt: [1, 2, 3])
        harness.run()
        harness.enqueue(2, prompt: [1, 2, 3])
        harness.run()
        #expect(harness.admissions[1].reusedTokens == 2)
    }

    @Test("A conversation goes on where its own answer ended")
    func continuesConversations() {
        var harness = BatcherHarness(slots: 1)
        harness.enqueue(1, prompt: [1, 2, 3], maxTokens: 3)
        harness.run()
        // The third answer token was sampled and never decoded.
        harness.enqueue(2, prompt: [1, 2, 3, 1003, 1004, 1005, 50])
        harness.run()
        #expect(harness.admissions[1].reusedTokens == 5)
    }

    @Test("A prefix that another slot works with is copied")
    func copiesPrefixes() {
        let template = Array(Token(0)..<40)
        var harness = BatcherHarness(slots: 2, batchLimit: 64)
        harness.enqueue(1, prompt: template + [50], maxTokens: 20)
        harness.step()
        harness.enqueue(2, prompt: template + [60])
        harness.run()
        #expect(harness.admissions[1].copiedFrom == harness.admissions[0].slot)
        #expect(harness.admissions[1].slot != harness.admissions[0].slot)
        #expect(harness.admissions[1].reusedTokens == 40)
    }

    @Test("A short common beginning does not cost another template its cache")
    func keepsOtherTemplates() {
        var harness = BatcherHarness(slots: 2, batchLimit: 64)
        harness.enqueue(1, prompt: [1, 2] + Array(10..<40))
        harness.run()
        harness.enqueue(2, prompt: [1, 2] + Array(50..<80))
        harness.run()
        harness.enqueue(3, prompt: [1, 2] + Array(10..<40))
        harness.run()
        #expect(harness.admissions[1].slot != harness.admissions[0].slot)
        #expect(harness.admissions[2].slot == harness.admissions[0].slot)
        #expect(harness.admissions[2].reusedTokens == 31)
    }

    @Test("What was computed under one adapter is not used under another")
    func adaptersDivideCaches() {
        var harness = BatcherHarness(slots: 1)
        harness.enqueue(1, prompt: [1, 2, 3, 4])
        harness.run()
        harness.enqueue(2, prompt: [1, 2, 3, 4], adapters: ["formal"])
        harness.run()
        #expect(harness.admissions[1].reusedTokens == 0)
    }

    // MARK: Groups

    @Test("A batch never mixes adapters, and groups take turns")
    func groupsTakeTurns() {
        var harness = BatcherHarness(slots: 4)
        for number in 1...4 {
            let adapters = number.isMultiple(of: 2) ? ["formal"] : []
            harness.enqueue(UInt64(number), prompt: [Token(number)], maxTokens: 40, adapters: adapters)
        }
        harness.run()
        #expect(harness.finished.count == 4)
        for step in harness.steps { #expect(Set(step.map { $0 % 2 }).count == 1, "\(step)") }
        // Neither waits for longer than one turn of the other.
        for jobs in [[1, 3], [2, 4]] as [[UInt64]] {
            let waits = harness.steps.prefix(80).split { $0 == jobs }.map(\.count)
            #expect((waits.max() ?? 0) <= ContinuousBatcher.stepsPerTurn, "\(jobs)")
        }
    }

    @Test("Texts to embed are computed whole, by batches of their own")
    func embedsWholeTexts() {
        var harness = BatcherHarness(slots: 3, batchLimit: 8)
        harness.enqueue(1, prompt: [1, 2], maxTokens: 12)
        harness.embed(2, tokens: Array(10..<16))
        harness.embed(3, tokens: Array(20..<26))
        harness.run()
        #expect(harness.finished.count == 3)
        #expect(harness.steps.filter { $0 == [2] }.count == 1)
        #expect(harness.steps.filter { $0 == [3] }.count == 1)
        #expect(harness.steps.allSatisfy { $0.count == 1 })
    }

    @Test("What an embedding left in a cache is not reused")
    func embeddingsAreNoPrefix() {
        var harness = BatcherHarness(slots: 1)
        harness.embed(1, tokens: [1, 2, 3])
        harness.run()
        harness.enqueue(2, prompt: [1, 2, 3])
        harness.run()
        #expect(harness.admissions[1].reusedTokens == 0)
    }

    // MARK: Ends

    @Test("An answer ends at its limit, or where the context is full", arguments: [(2, 4), (nil, 10), (99, 10)])
    func lengths(maxTokens: Int?, cachedAtEnd: Int) {
        var harness = BatcherHarness(slots: 1, contextLength: 10)
        harness.enqueue(1, prompt: [1, 2, 3], maxTokens: maxTokens)
        harness.run()
        #expect(harness.finished == [1: .length])
        #expect(harness.caches[0].count == cachedAtEnd)
    }

    @Test("The end token and the stop text are counted as what they are")
    func usage() {
        var batcher = ContinuousBatcher(slots: 1, contextLength: 10, batchLimit: 8)
        batcher.enqueue(.generation(GenerationJob(id: JobID(1), prompt: [1, 2, 3], stop: ["!"])))
        _ = batcher.admit()
        let hasWork = batcher.formBatch()
        #expect(hasWork)
        batcher.batchDecoded()
        let word = ContinuousBatcher.SampledToken(token: 5, bytes: Array("hi!".utf8), endsGeneration: false)
        let progress = batcher.receive(word, inSlot: 0)
        #expect(progress.text == "hi")
        #expect(progress.finish == .stop)
        #expect(progress.usage == TokenUsage(promptTokens: 3, completionTokens: 1))
        #expect(batcher.isIdle)
    }

    @Test("A cancelled request frees its slot for the next, and leaves its prefix to it")
    func cancellation() {
        var harness = BatcherHarness(slots: 1)
        harness.enqueue(1, prompt: [1, 2, 3, 4], maxTokens: nil)
        harness.enqueue(2, prompt: [1, 2, 3, 9])
        harness.enqueue(3, prompt: [5])
        harness.step()
        let slots = [1, 3, 77].map { harness.batcher.cancel(JobID($0)) }
        #expect(slots == [0, nil, nil])
        harness.run()
        #expect(harness.finished == [2: .length])
        #expect(harness.admissions.map(\.job.id.number) == [1, 2])
        #expect(harness.admissions[1].reusedTokens == 3)
    }

    @Test("A failed batch ends its requests only, and nothing of it is reused")
    func failedBatch() {
        var harness = BatcherHarness(slots: 2)
        harness.enqueue(1, prompt: [1, 2, 3, 4])
        harness.enqueue(2, prompt: [1, 2, 3, 4], adapters: ["formal"])
        let failed = harness.failStep()
        #expect(failed == [1])
        harness.enqueue(3, prompt: [1, 2, 3, 4])
        harness.run()
        #expect(harness.finished == [2: .length, 3: .length])
        #expect(harness.admissions.last?.reusedTokens == 0)
    }
}
