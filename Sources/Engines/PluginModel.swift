internal import CEngine
package import Planning
internal import Schema
internal import Synchronization

/// A model that a plugin engine opened.
///
/// The weights are given back when the model was closed and its last call and its last session have ended, so a
/// late caller gets an error, never freed memory.
package final class PluginModel: LanguageModel {
    private struct State {
        var isClosed = false
        /// Calls under way and open sessions.
        var users = 0
    }

    /// A pointer that may cross threads: the ABI allows a model to be used from any of them.
    private struct Handle: @unchecked Sendable {  // The engine promises that a model's functions are thread-safe.
        let model: OpaquePointer
    }

    package let description: ModelDescription
    package let beginningToken: Token?
    package let endingToken: Token?
    let batchLimit: Int
    let adapters: [String]
    let table: EngineTable
    private let handle: Handle
    private let state = Mutex(State())

    init(table: EngineTable, model: OpaquePointer, adapters: [String]) {
        self.table = table
        self.handle = Handle(model: model)
        self.adapters = adapters
        var description = martlet_description()
        description.struct_size = UInt32(MemoryLayout<martlet_description>.size)
        _ = table.describeModel(model, &description)
        self.batchLimit = Int(description.batch_limit)
        self.beginningToken = description.beginning_token < 0 ? nil : description.beginning_token
        self.endingToken = description.ending_token < 0 ? nil : description.ending_token
        self.description = ModelDescription(
            architecture: PluginModel.text(MARTLET_TEXT_ARCHITECTURE, of: model, table) ?? "unknown",
            weightBytes: description.weight_bytes,
            sessionBytes: description.session_bytes,
            contextLength: Int(description.context_length),
            slots: Int(description.slots),
            embeddingWidth: description.embedding_width > 0 ? Int(description.embedding_width) : nil,
            generates: description.generates,
            vocabularySize: Int(description.vocabulary_size),
            chatTemplate: PluginModel.text(MARTLET_TEXT_CHAT_TEMPLATE, of: model, table),
            addsBeginningToken: description.adds_beginning_token
        )
    }

    deinit {
        self.close()
    }

    package func tokenize(_ segments: [TextSegment]) throws -> [Token] {
        var bytes: [UInt8] = []
        let ranges = segments.map { segment in
            let start = bytes.count
            bytes.append(contentsOf: segment.text.utf8)
            return start..<bytes.count
        }
        guard !bytes.isEmpty else { return [] }
        return try self.use { model in
            try bytes.withUnsafeBytes { buffer in
                let pieces = zip(ranges, segments).map { range, segment in
                    martlet_segment(
                        text: buffer.baseAddress?.advanced(by: range.lowerBound).assumingMemoryBound(to: CChar.self),
                        length: range.count,
                        parse_special: segment.parseSpecial
                    )
                }
                let guess = try self.tokenize(pieces, of: model, capacity: buffer.count + segments.count)
                return guess.isComplete
                    ? guess.tokens : try self.tokenize(pieces, of: model, capacity: guess.count).tokens
            }
        }
    }

    package func bytes(of token: Token) -> [UInt8] {
        let bytes = try? self.use { model in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                let count = self.table.tokenBytes(model, token, buffer.baseAddress, buffer.count)
                if count <= buffer.count { return buffer.prefix(count).map { UInt8(bitPattern: $0) } }
                return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count) { larger in
                    _ = self.table.tokenBytes(model, token, larger.baseAddress, larger.count)
                    return larger.map { UInt8(bitPattern: $0) }
                }
            }
        }
        return bytes ?? []
    }

    package func endsGeneration(_ token: Token) -> Bool {
        (try? self.use { self.table.endsGeneration($0, token) }) ?? true
    }

    package func makeSession() throws -> any LanguageSession {
        let model = try self.enter()
        var session: OpaquePointer?
        do throws(EngineFailure) {
            try EngineFailure.check { self.table.openSession(model, &session, $0) }
        } catch {
            self.leave()
            throw error.error("SessionFailed", "a session cannot be opened")
        }
        guard let session else {
            self.leave()
            throw EngineTable.unusable(self.table.library, "it opened no session and gave no reason")
        }
        return PluginSession(model: self, session: session)
    }

    package func close() {
        let isLast = self.state.withLock { state in
            let wasOpen = !state.isClosed
            state.isClosed = true
            return wasOpen && state.users == 0
        }
        if isLast { self.table.closeModel(self.handle.model) }
    }

    /// Ends what ``enter()`` began; a session calls it when it has closed.
    func leave() {
        let isLast = self.state.withLock { state in
            state.users -= 1
            return state.isClosed && state.users == 0
        }
        if isLast { self.table.closeModel(self.handle.model) }
    }

    private func enter() throws -> OpaquePointer {
        try self.state.withLock { state in
            guard !state.isClosed else { throw MartletError("ModelClosed", "the model was closed") }
            state.users += 1
        }
        return self.handle.model
    }

    private func use<Value>(_ body: (OpaquePointer) throws -> Value) throws -> Value {
        let model = try self.enter()
        defer { self.leave() }
        return try body(model)
    }

    private func tokenize(
        _ segments: [martlet_segment],
        of model: OpaquePointer,
        capacity: Int
    ) throws -> (tokens: [Token], count: Int, isComplete: Bool) {
        var count = 0
        do {
            let tokens = try [Token](unsafeUninitializedCapacity: capacity) { buffer, written in
                try EngineFailure.check {
                    self.table.tokenize(model, segments, segments.count, buffer.baseAddress, capacity, &count, $0)
                }
                written = min(count, capacity)
            }
            return (tokens, count, count <= capacity)
        } catch let failure as EngineFailure {
            throw failure.error("TokenizeFailed", "the text cannot be tokenized")
        }
    }

    private static func text(_ which: Int32, of model: OpaquePointer, _ table: EngineTable) -> String? {
        let length = table.modelText(model, which, nil, 0)
        guard length > 0 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { buffer in
            buffer[0] = 0
            _ = table.modelText(model, which, buffer.baseAddress, buffer.count)
            return buffer.baseAddress.map { String(cString: $0) }
        }
    }
}
