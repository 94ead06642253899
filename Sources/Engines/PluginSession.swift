internal import CEngine
package import Planning
internal import Schema
internal import Synchronization

/// A session of a plugin engine's model. One thread drives it; only ``abort()`` may come from another.
package final class PluginSession: LanguageSession {
    /// Pointers that may cross threads: the mutex around them and the session's one driver keep them apart.
    private struct State: @unchecked Sendable {  // Guarded by the mutex; samplers are freed on the driving thread.
        var session: OpaquePointer?
        var samplers: Set<OpaquePointer> = []
        /// Samplers whose Swift owner is gone; the driving thread frees them when it comes by.
        var discarded: [OpaquePointer] = []
    }

    private let model: PluginModel
    private let state: Mutex<State>

    init(model: PluginModel, session: OpaquePointer) {
        self.model = model
        self.state = Mutex(State(session: session))
    }

    deinit {
        self.close()
    }

    package var batchLimit: Int { self.model.batchLimit }

    package func decode(_ batch: [BatchEntry]) throws {
        let session = try self.pointer()
        let entries = batch.map {
            martlet_entry(
                token: $0.token,
                position: $0.position,
                sequence: $0.sequence,
                wants_logits: $0.wantsLogits
            )
        }
        try self.checked("DecodeFailed", "a batch of \(batch.count) tokens cannot be computed") {
            self.table.decode(session, entries, entries.count, $0)
        }
    }

    package func makeSampler(_ parameters: SamplingParameters) throws -> any TokenSampler {
        let session = try self.pointer()
        let strings = CStrings()
        var sampling = martlet_sampling()
        sampling.struct_size = UInt32(MemoryLayout<martlet_sampling>.size)
        sampling.temperature = Float(parameters.temperature)
        sampling.top_p = Float(parameters.topP)
        sampling.top_k = Int32(clamping: parameters.topK)
        sampling.min_p = Float(parameters.minP)
        sampling.frequency_penalty = Float(parameters.frequencyPenalty)
        sampling.presence_penalty = Float(parameters.presencePenalty)
        sampling.has_seed = parameters.seed != nil
        sampling.seed = parameters.seed ?? 0
        sampling.grammar = parameters.grammar.flatMap { strings.copy($0) }
        var sampler: OpaquePointer?
        try self.checked("InvalidSampling", "the sampling parameters are not acceptable") {
            self.table.openSampler(session, &sampling, &sampler, $0)
        }
        withExtendedLifetime(strings) {}
        guard let sampler else {
            throw EngineTable.unusable(self.table.library, "it opened no sampler and gave no reason")
        }
        self.state.withLock { _ = $0.samplers.insert(sampler) }
        return PluginSampler(session: self, sampler: sampler)
    }

    package func embedding(ofSequence sequence: Int32) throws -> [Float] {
        let session = try self.pointer()
        let width = self.model.description.embeddingWidth ?? 0
        var values = [Float](repeating: 0, count: width)
        try self.checked("EmbeddingFailed", "no embedding of sequence \(sequence)") {
            self.table.embedding(session, sequence, &values, width, $0)
        }
        return values
    }

    package func logProbabilities(
        at index: Int,
        of chosen: Token,
        top count: Int
    ) throws -> (chosen: TokenProbability, top: [TokenProbability]) {
        let session = try self.pointer()
        var probability = 0.0
        var written = 0
        var top = [martlet_token_probability](repeating: martlet_token_probability(), count: max(count, 0))
        try self.checked("DecodeFailed", "no log-probabilities of entry \(index)") {
            self.table.logProbabilities(session, index, chosen, &probability, &top, top.count, &written, $0)
        }
        return (
            TokenProbability(token: chosen, logProbability: probability),
            top.prefix(written).map { TokenProbability(token: $0.token, logProbability: $0.log_probability) }
        )
    }

    package func removeTokens(ofSequence sequence: Int32, from: Int32, to: Int32?) {
        guard let session = try? self.pointer() else { return }
        _ = self.table.removeTokens(session, sequence, from, to ?? -1)
    }

    package func copyTokens(fromSequence source: Int32, toSequence target: Int32, length: Int32) {
        guard let session = try? self.pointer() else { return }
        _ = self.table.copyTokens(session, source, target, length)
    }

    package func setAdapters(_ names: [String]) throws {
        let session = try self.pointer()
        let indices = try names.map { name in
            guard let index = self.model.adapters.firstIndex(of: name) else {
                let known = self.model.adapters.isEmpty ? "none" : self.model.adapters.joined(separator: ", ")
                throw MartletError("UnknownAdapter", "the model has no adapter '\(name)'; it was opened with \(known)")
            }
            return index
        }
        try self.checked("UnknownAdapter", "the adapters cannot be set") {
            self.table.setAdapters(session, indices, indices.count, $0)
        }
    }

    package func abort() {
        // Under the lock, so that the session cannot be freed meanwhile; the call only sets a flag.
        self.state.withLock { state in
            if let session = state.session { self.table.abortSession(session) }
        }
    }

    package func close() {
        let (session, samplers) = self.state.withLock { state in
            defer { state = State(session: nil) }
            return (state.session, Array(state.samplers) + state.discarded)
        }
        guard let session else { return }
        for sampler in samplers { self.table.closeSampler(sampler) }
        self.table.closeSession(session)
        self.model.leave()
    }

    /// Lets the session's thread free a sampler that nobody uses any more.
    func discard(_ sampler: OpaquePointer) {
        self.state.withLock { state in
            if state.samplers.remove(sampler) != nil { state.discarded.append(sampler) }
        }
    }

    func sample(_ sampler: OpaquePointer, at index: Int) throws -> Token {
        _ = try self.pointer()
        var token: Token = 0
        try self.checked("DecodeFailed", "no token can be sampled from entry \(index)") {
            self.table.sample(sampler, index, &token, $0)
        }
        return token
    }

    private var table: EngineTable { self.model.table }

    /// The session, for a call on the thread that drives it; frees discarded samplers on the way.
    private func pointer() throws -> OpaquePointer {
        let (session, discarded) = self.state.withLock { state in
            defer { state.discarded = [] }
            return (state.session, state.discarded)
        }
        for sampler in discarded { self.table.closeSampler(sampler) }
        guard let session else { throw MartletError("SessionClosed", "the session was closed") }
        return session
    }

    private func checked(_ code: String, _ what: String, _ call: (martlet_error) -> martlet_status) throws {
        do throws(EngineFailure) {
            try EngineFailure.check(call)
        } catch {
            throw error.error(code, what)
        }
    }
}
