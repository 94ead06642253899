internal import Hummingbird
internal import Logging

/// Writes down what callers are told only in general words.
struct FailureLog: Sendable {
    let logger: Logger
    let requestID: String

    init(_ context: GatewayContext) {
        self.logger = context.logger
        self.requestID = context.requestID
    }

    /// What is told of an error that ends a stream, which is noted here. Throws it where the client is gone: there is nobody
    /// to tell.
    func told(_ error: any Error, as spelt: (any Error) -> OpenAIError = { OpenAIError($0) }) throws -> OpenAIError {
        if Task.isCancelled { throw error }
        let answer = spelt(error)
        self.note(error, toldAs: answer)
        return answer
    }

    /// Notes an error, unless the answer already says all there is to know.
    func note(_ error: any Error, toldAs answer: OpenAIError) {
        guard answer.code == "internal_error" else { return }
        self.logger.error("request failed", metadata: ["request": "\(self.requestID)", "error": "\(error)"])
    }
}
