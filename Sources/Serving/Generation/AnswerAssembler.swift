package import Planning

/// Turns one request's tokens into pieces of its answer: whole characters, nothing of a stop text, and each token's
/// log-probability together with the text that it is part of.
package struct AnswerAssembler: Sendable {
    /// What can be shown after one more token; empty when the token's text has to wait.
    package struct Piece: Sendable, Hashable {
        package var text = ""
        package var logProbabilities: [TokenLogProbability] = []
        /// Whether a stop text came up, which ends the answer.
        package var isStopped = false
    }

    private struct WaitingToken {
        /// How many bytes of the answer come before the token.
        var start: Int
        var probability: TokenLogProbability
    }

    private var scanner: StopScanner
    private var characters = UTF8Assembler()
    private var scanned: [UInt8] = []
    private var receivedCount = 0
    private var scannedCount = 0
    private var waiting: [WaitingToken] = []

    package init(stop: [String]) {
        self.scanner = StopScanner(stop)
    }

    /// Takes the bytes of the next token.
    package mutating func append(_ bytes: [UInt8], probability: TokenLogProbability?) -> Piece {
        if let probability {
            self.waiting.append(WaitingToken(start: self.receivedCount, probability: probability))
        }
        self.receivedCount += bytes.count
        if self.scanner.isIdle {
            self.scannedCount += bytes.count
            return self.piece(text: self.characters.append(bytes))
        }
        self.scanned.removeAll(keepingCapacity: true)
        let isStopped = self.scanner.append(bytes, to: &self.scanned)
        self.scannedCount += self.scanned.count
        var text = self.characters.append(self.scanned)
        if isStopped { text += self.characters.finish() }
        var piece = self.piece(text: text)
        piece.isStopped = isStopped
        return piece
    }

    /// Gives what was held back, at the end of an answer that no stop text ended.
    package mutating func finish() -> Piece {
        self.scanned.removeAll(keepingCapacity: true)
        self.scanner.finish(into: &self.scanned)
        self.scannedCount += self.scanned.count
        return self.piece(text: self.characters.append(self.scanned) + self.characters.finish())
    }

    private mutating func piece(text: String) -> Piece {
        guard !self.waiting.isEmpty else { return Piece(text: text) }
        let shownCount = self.scannedCount - self.characters.incompleteCount
        let shown = self.waiting.prefix { $0.start < shownCount }.map(\.probability)
        self.waiting.removeFirst(shown.count)
        return Piece(text: text, logProbabilities: shown)
    }
}
