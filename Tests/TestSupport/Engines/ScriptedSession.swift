package import Planning
internal import Schema
internal import Synchronization

/// A session of the scripted engine: one cache of tokens per slot.
package final class ScriptedSession: LanguageSession {
    private struct State {
        /// Cached tokens by sequence and position; nil where one was removed from the middle.
        var sequences: [[Token?]]
        var batch: [BatchEntry] = []
        /// For each entry of the last batch that wanted logits: what its sequence held up to it.
        var histories: [Int: [Token]] = [:]
        var adapters: [String] = []
        var isClosed = false
    }

    let model: ScriptedModel
    private let id: Int
    private let state: Mutex<State>

    init(model: ScriptedModel) {
        self.model = model
        self.id = model.control.makeID()
        self.state = Mutex(State(sequences: Array(repeating: [], count: model.description.slots)))
        model.control.record {
            $0.sessionsOpened += 1
            $0.liveBytes += model.description.sessionBytes
        }
    }

    package var batchLimit: Int { self.model.batchLimit }

    /// The adapters in effect.
    var adapters: [String] { self.state.withLock { $0.adapters } }

    /// What each slot's cache holds, with special tokens spelt out.
    package var cachedTexts: [String] {
        self.state.withLock { $0.sequences.map { ScriptedVocabulary.text(of: $0.compactMap(\.self)) } }
    }

    package func decode(_ batch: [BatchEntry]) throws {
        try self.model.control.beginDecode(batch, session: self.id)
        try self.state.withLock { state in
            guard !state.isClosed else { throw MartletError("SessionClosed", "the session was closed") }
            guard (1...self.batchLimit).contains(batch.count) else {
                throw self.fault("a batch holds 1 to \(self.batchLimit) tokens, not \(batch.count)")
            }
            var next = state
            next.batch = batch
            next.histories = [:]
            for (index, entry) in batch.enumerated() { try self.apply(entry, at: index, to: &next) }
            state = next
        }
        self.model.control.record { $0.decodesFinished += 1 }
    }

    private func apply(_ entry: BatchEntry, at index: Int, to state: inout State) throws {
        guard state.sequences.indices.contains(Int(entry.sequence)) else {
            throw self.fault("sequence \(entry.sequence) is not below \(state.sequences.count)")
        }
        guard (0..<Token(ScriptedVocabulary.size)).contains(entry.token) else {
            throw self.fault("token \(entry.token) is not in the vocabulary")
        }
        let cached = state.sequences[Int(entry.sequence)]
        guard Int(entry.position) == cached.count else {
            throw self.fault(
                "position \(entry.position) of sequence \(entry.sequence) does not follow its \(cached.count) tokens"
            )
        }
        guard cached.count < self.model.description.contextLength else {
            throw self.fault("sequence \(entry.sequence) exceeds \(self.model.description.contextLength) tokens")
        }
        state.sequences[Int(entry.sequence)].append(entry.token)
        if entry.wantsLogits {
            state.histories[index] = state.sequences[Int(entry.sequence)].compactMap(\.self)
        }
    }

    package func makeSampler(_ parameters: SamplingParameters) throws -> any TokenSampler {
        self.model.control.record { $0.samplers.append(parameters) }
        return ScriptedSampler(session: self, parameters: parameters)
    }

    /// What the sequence of entry `index` of the last batch held up to that entry.
    func history(at index: Int) throws -> [Token] {
        try self.state.withLock { state in
            guard let history = state.histories[index] else {
                throw self.fault("entry \(index) of the last batch asked for no logits")
            }
            return history
        }
    }

    package func embedding(ofSequence sequence: Int32) throws -> [Float] {
        guard let width = self.model.description.embeddingWidth else {
            throw MartletError("NoEmbeddings", "the model gives no embeddings")
        }
        let tokens = try self.state.withLock { state in
            guard state.batch.contains(where: { $0.sequence == sequence && $0.wantsLogits }) else {
                throw self.fault("sequence \(sequence) asked for nothing in the last batch")
            }
            return state.sequences[Int(sequence)].compactMap(\.self)
        }
        var vector = [Float](repeating: 0, count: width)
        for (position, token) in tokens.enumerated() {
            vector[Int(token) % width] += 1
            vector[(Int(token) + position) % width] += 0.25
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    /// A made-up distribution: 0.9 for the chosen token, and half of what is left for each further one.
    package func logProbabilities(
        at index: Int,
        of chosen: Token,
        top count: Int
    ) throws -> (chosen: TokenProbability, top: [TokenProbability]) {
        _ = try self.history(at: index)
        let logs = [-0.1053605156578263, -2.995732273553991, -3.6888794541139363, -4.382026634673881]
        let top = (0..<min(count, logs.count)).map { rank in
            TokenProbability(
                token: (chosen + Token(rank)) % Token(ScriptedVocabulary.size),
                logProbability: logs[rank]
            )
        }
        return (TokenProbability(token: chosen, logProbability: logs[0]), top)
    }

    package func removeTokens(ofSequence sequence: Int32, from: Int32, to: Int32?) {
        self.state.withLock { state in
            let cached = state.sequences[Int(sequence)]
            let end = min(to.map(Int.init) ?? cached.count, cached.count)
            for position in stride(from: Int(max(from, 0)), to: end, by: 1) {
                state.sequences[Int(sequence)][position] = nil
            }
            while state.sequences[Int(sequence)].last == .some(nil) { state.sequences[Int(sequence)].removeLast() }
        }
    }

    package func copyTokens(fromSequence source: Int32, toSequence target: Int32, length: Int32) {
        self.state.withLock { state in
            guard source != target else { return }
            state.sequences[Int(target)] = Array(state.sequences[Int(source)].prefix(Int(length)))
        }
    }

    package func setAdapters(_ names: [String]) throws {
        if let unknown = names.first(where: { !self.model.adapters.contains($0) }) {
            throw MartletError("UnknownAdapter", "the model was opened without an adapter '\(unknown)'")
        }
        self.state.withLock { $0.adapters = names }
        self.model.control.record { $0.adapterChanges.append(names) }
    }

    package func abort() {
        self.model.control.abort(session: self.id)
    }

    package func close() {
        let wasOpen = self.state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard wasOpen else { return }
        self.model.control.record {
            $0.sessionsClosed += 1
            $0.liveBytes -= self.model.description.sessionBytes
        }
    }

    func fault(_ reason: String) -> MartletError {
        MartletError("DecodeFailed", "the scripted engine refuses the batch: \(reason)")
    }
}
