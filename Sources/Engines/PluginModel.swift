internal import CEngine
package import Planning
internal import Schema

/// A language or embedding model that a plugin engine opened.
package final class PluginModel: LanguageModel {
    package let description: ModelDescription
    package let beginningToken: Token?
    package let endingToken: Token?
    let batchLimit: Int
    let adapters: [String]
    let functions: EngineTable.LanguageFunctions
    private let handle: PluginHandle

    init(
        _ handle: PluginHandle,
        functions: EngineTable.LanguageFunctions,
        description: martlet_description,
        adapters: [String]
    ) {
        self.handle = handle
        self.functions = functions
        self.adapters = adapters
        self.batchLimit = Int(description.batch_limit)
        self.beginningToken = description.beginning_token < 0 ? nil : description.beginning_token
        self.endingToken = description.ending_token < 0 ? nil : description.ending_token
        self.description = ModelDescription(
            architecture: handle.text(MARTLET_TEXT_ARCHITECTURE) ?? "unknown",
            weightBytes: description.weight_bytes,
            sessionBytes: description.session_bytes,
            contextLength: Int(description.context_length),
            slots: Int(description.slots),
            embeddingWidth: description.embedding_width > 0 ? Int(description.embedding_width) : nil,
            generates: description.generates,
            vocabularySize: Int(description.vocabulary_size),
            chatTemplate: handle.text(MARTLET_TEXT_CHAT_TEMPLATE),
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
        return try self.handle.use { model in
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
        let bytes = try? self.handle.use { model in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                let count = self.functions.tokenBytes(model, token, buffer.baseAddress, buffer.count)
                if count <= buffer.count { return buffer.prefix(count).map { UInt8(bitPattern: $0) } }
                return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count) { larger in
                    _ = self.functions.tokenBytes(model, token, larger.baseAddress, larger.count)
                    return larger.map { UInt8(bitPattern: $0) }
                }
            }
        }
        return bytes ?? []
    }

    package func endsGeneration(_ token: Token) -> Bool {
        (try? self.handle.use { self.functions.endsGeneration($0, token) }) ?? true
    }

    package func makeSession() throws -> any LanguageSession {
        PluginSession(model: self, handle: try PluginSessionHandle(of: self.handle))
    }

    package func close() {
        self.handle.close()
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
                    self.functions.tokenize(model, segments, segments.count, buffer.baseAddress, capacity, &count, $0)
                }
                written = min(count, capacity)
            }
            return (tokens, count, count <= capacity)
        } catch let failure as EngineFailure {
            throw failure.error("TokenizeFailed", "the text cannot be tokenized")
        }
    }
}
