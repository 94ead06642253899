internal import HTTPTypes

extension HTTPField.Name {
    /// `x-request-id`.
    static let requestID = Self("x-request-id")!
    /// `x-martlet-continue`: where the next page of a list begins.
    static let martletContinue = Self("x-martlet-continue")!
    /// `x-martlet-revision`.
    static let martletRevision = Self("x-martlet-revision")!
    /// `x-martlet-commit`.
    static let martletCommit = Self("x-martlet-commit")!
    /// `x-martlet-replayed`.
    static let martletReplayed = Self("x-martlet-replayed")!
    /// `x-martlet-prompt-tokens`.
    static let martletPromptTokens = Self("x-martlet-prompt-tokens")!
    /// `x-martlet-completion-tokens`.
    static let martletCompletionTokens = Self("x-martlet-completion-tokens")!
    /// `x-martlet-actor`: who asks, on the admin API.
    static let martletActor = Self("x-martlet-actor")!
    /// `inference-header-content-length`: how many bytes of a body are JSON, before binary data.
    static let inferenceHeaderContentLength = Self("inference-header-content-length")!
    /// `last-event-id`, which a client of server-sent events gives when it comes back.
    static let lastEventID = Self("last-event-id")!
}
