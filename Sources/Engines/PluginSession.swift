internal import CEngine
package import Planning
internal import Schema
internal import Synchronization

/// A session of a plugin engine's model. One thread drives it; only ``abort()`` may come from another.
package final class PluginSession: LanguageSession {
    /// Pointers that may cross threads: the mutex around them and the session's one driver keep them apart.
    private struct Samplers: @unchecked Sendable {  // Guarded by the mutex; they are freed on the driving thread.
        var open: Set<OpaquePointer> = []
        /// Samplers whose Swift owner is gone; the driving thread frees them when it comes by.
        var discarded: [OpaquePointer] = []
    }

    private let model: PluginModel
    private let handle: PluginSessionHandle
    private let samplers = Mutex(Samplers())

    init(model: PluginModel, handle: PluginSessionHandle) {
        self.model = model
        self.handle = handle
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
        try self.handle.checked("DecodeFailed", "a batch of \(batch.count) tokens cannot be computed") {
            self.functions.decode(session, entries, entries.count, $0)
        }
    }

    package func makeSampler(_ parameters: SamplingParameters) throws -> any TokenSampler {
        let session = try self.pointer()
        try self.checkBiases(parameters.logitBias)
        let strings = CStrings()
        var sampling = martlet_sampling()
        sampling.struct_size = UInt32(MemoryLayout<martlet_sampling>.size)
        sampling.temperature = Float(parameters.temperature ?? 1)
        sampling.top_p = Float(parameters.topP ?? 1)
        sampling.top_k = Int32(clamping: parameters.topK)
        sampling.min_p = Float(parameters.minP)
        sampling.frequency_penalty = Float(parameters.frequencyPenalty)
        sampling.presence_penalty = Float(parameters.presencePenalty)
        sampling.has_seed = parameters.seed != nil
        sampling.seed = parameters.seed ?? 0
        sampling.grammar = parameters.grammar.flatMap { strings.copy($0) }
        var sampler: OpaquePointer?
        let biases = parameters.logitBias.sorted { $0.key < $1.key }
            .map { martlet_bias(token: $0.key, value: Float($0.value)) }
        try biases.withUnsafeBufferPointer { biases in
            sampling.biases = biases.baseAddress
            sampling.bias_count = biases.count
            try self.handle.checked("InvalidSampling", "the sampling parameters are not acceptable") {
                self.functions.openSampler(session, &sampling, &sampler, $0)
            }
        }
        withExtendedLifetime(strings) {}
        guard let sampler else {
            throw EngineTable.unusable(self.handle.table.library, "it opened no sampler and gave no reason")
        }
        self.samplers.withLock { _ = $0.open.insert(sampler) }
        return PluginSampler(session: self, sampler: sampler)
    }

    private func checkBiases(_ biases: [Token: Double]) throws {
        guard !biases.isEmpty else { return }
        guard self.functions.takesBiases else {
            throw MartletError("UnsupportedParameter", "'logit_bias' is not supported by this model's engine")
        }
        let size = self.model.description.vocabularySize
        guard let stranger = biases.keys.filter({ $0 < 0 || $0 >= size }).min() else { return }
        throw MartletError(
            "UnsupportedParameter",
            "'logit_bias' names token \(stranger), and the model's tokens are numbered from 0 to \(size - 1)"
        )
    }

    package func embedding(ofSequence sequence: Int32) throws -> [Float] {
        let session = try self.pointer()
        let width = self.model.description.embeddingWidth ?? 0
        var values = [Float](repeating: 0, count: width)
        try self.handle.checked("EmbeddingFailed", "no embedding of sequence \(sequence)") {
            self.functions.embedding(session, sequence, &values, width, $0)
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
        try self.handle.checked("DecodeFailed", "no log-probabilities of entry \(index)") {
            self.functions.logProbabilities(session, index, chosen, &probability, &top, top.count, &written, $0)
        }
        return (
            TokenProbability(token: chosen, logProbability: probability),
            top.prefix(written).map { TokenProbability(token: $0.token, logProbability: $0.log_probability) }
        )
    }

    package func removeTokens(ofSequence sequence: Int32, from: Int32, to: Int32?) {
        guard let session = try? self.pointer() else { return }
        _ = self.functions.removeTokens(session, sequence, from, to ?? -1)
    }

    package func copyTokens(fromSequence source: Int32, toSequence target: Int32, length: Int32) {
        guard let session = try? self.pointer() else { return }
        _ = self.functions.copyTokens(session, source, target, length)
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
        try self.handle.checked("UnknownAdapter", "the adapters cannot be set") {
            self.functions.setAdapters(session, indices, indices.count, $0)
        }
    }

    package func abort() {
        self.handle.abort()
    }

    package func close() {
        self.handle.close(after: {
            let samplers = self.samplers.withLock { samplers in
                defer { samplers = Samplers() }
                return samplers
            }
            for sampler in samplers.open { self.functions.closeSampler(sampler) }
            for sampler in samplers.discarded { self.functions.closeSampler(sampler) }
        })
    }

    /// Lets the session's thread free a sampler that nobody uses any more.
    func discard(_ sampler: OpaquePointer) {
        self.samplers.withLock { samplers in
            if samplers.open.remove(sampler) != nil { samplers.discarded.append(sampler) }
        }
    }

    func sample(_ sampler: OpaquePointer, at index: Int) throws -> Token {
        _ = try self.pointer()
        var token: Token = 0
        try self.handle.checked("DecodeFailed", "no token can be sampled from entry \(index)") {
            self.functions.sample(sampler, index, &token, $0)
        }
        return token
    }

    private var functions: EngineTable.LanguageFunctions { self.model.functions }

    /// The session, for a call on the thread that drives it; frees discarded samplers on the way.
    private func pointer() throws -> OpaquePointer {
        let session = try self.handle.session()
        let samplers = self.samplers.withLock { samplers in
            defer { samplers.discarded = [] }
            return samplers
        }
        for sampler in samplers.discarded { self.functions.closeSampler(sampler) }
        return session
    }
}
