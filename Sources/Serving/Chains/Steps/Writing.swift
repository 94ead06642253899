internal import Planning
internal import Schema

/// What a model has written and called, complete.
struct Writing: Sendable {
    var text = ""
    var calls: [ToolCall] = []
    var finishReason = FinishReason.stop
    /// Where each call stands, by the number that its pieces have.
    private var places: [Int: Int] = [:]

    /// Asks a model and takes its whole answer in.
    ///
    /// - Parameters:
    ///   - spend: gets the tokens.
    ///   - emit: gets the text as it comes.
    static func of(
        _ request: CompletionRequest,
        by model: any CompletionModel,
        spend: (TokenUsage) -> Void,
        emit: (String) throws -> Void = { _ in }
    ) async throws -> Writing {
        var writing = Writing()
        for try await event in try await model.complete(request) {
            switch event {
            case .text(let piece, _):
                writing.text += piece
                try emit(piece)
            case .toolCall(let piece): writing.take(piece)
            case .finished(let reason, let usage):
                spend(usage)
                writing.finishReason = reason
                return writing
            }
        }
        try Task.checkCancellation()
        throw MartletError.answerIncomplete
    }

    private mutating func take(_ piece: ToolCallPiece) {
        if let opening = piece.opening {
            self.places[piece.index] = self.calls.count
            self.calls.append(ToolCall(id: opening.id, name: opening.name, arguments: piece.arguments))
        } else if let place = self.places[piece.index] {
            self.calls[place].arguments += piece.arguments
        }
    }
}
