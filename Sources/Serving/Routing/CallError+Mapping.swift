internal import Planning
internal import Schema

extension CallError {
    /// What callers are told about an error of a model or a step.
    init(mapping error: any Error) {
        switch error {
        case let error as CallError: self = error
        case let error as MartletError: self.init(mapping: error)
        case let failure as UpstreamFailure: self.init(mapping: failure)
        case let failure as OutboundFailure: self.init(mapping: failure)
        case is CancellationError: self.init(.interrupted, "the request was cancelled")
        default: self.init(.failed, "the model failed: \(error)")
        }
    }

    private init(mapping error: MartletError) {
        if error.isOfUpstreams {
            self.init(.unavailable, Self.general("cannot be asked now"), retryAfter: 1, detail: "\(error)")
            return
        }
        switch error.code {
        case "PromptTooLong": self.init(.promptTooLong, error.message)
        case "RateLimited": self.init(.rateLimited, error.message)
        case "QuotaExceeded": self.init(.quotaExceeded, error.message)
        case "UnsupportedParameter":
            // Such a message begins with the parameter's name, in quotes.
            let name = error.message.hasPrefix("'") ? error.message.split(separator: "'").first.map(String.init) : nil
            self.init(.unsupportedParameter, error.message, parameter: name)
        case "IndexUnreadable", "IndexNotWritten":
            self.init(.unavailable, "what the chain looks up cannot be read now", retryAfter: 1, detail: error.message)
        case "SchemaUnsupported": self.init(.unsupportedParameter, error.message)
        case "EmptyPrompt", "CannotGenerate", "InvalidConversation", "NoEmbeddings", "NoTensors", "TensorInvalid":
            self.init(.invalidInput, error.message)
        case "InstanceMissing", "InstanceFailed", "ModelNotLoaded", "EngineHung", "SessionFailed", "Aborted",
            "ModelClosed":
            self.init(.unavailable, error.message, retryAfter: 1)
        default: self.init(.failed, error.message)
        }
    }

    private init(mapping failure: UpstreamFailure) {
        switch failure.kind {
        case .unavailable: self.init(.unavailable, Self.general("cannot be asked now"))
        case .timedOut: self.init(.timeout, Self.general("took too long"))
        case .rateLimited: self.init(.rateLimited, Self.general("has had too many requests"))
        case .exhausted: self.init(.quotaExceeded, Self.general("grants no more requests"))
        case .misconfigured: self.init(.failed, Self.general("does not take this server's requests"))
        // These are about the caller's own request, and say what is to be mended in it.
        case .rejected: self.init(.invalidInput, failure.message)
        case .tooLong: self.init(.promptTooLong, failure.message)
        }
        self.parameter = failure.parameter
        self.retryAfter = failure.retryAfter
        if failure.isUpstreamsFault { self.detail = failure.message }
    }

    private init(mapping failure: OutboundFailure) {
        let message = "a server or program that the chain calls \(failure.kind.words)"
        let code: Code
        switch failure.kind {
        case .unavailable: code = .unavailable
        case .timedOut: code = .timeout
        case .rateLimited: code = .rateLimited
        case .refused, .rejected, .invalidAnswer, .misconfigured, .invalidInput: code = .failed
        }
        self.init(code, message, retryAfter: failure.retryAfter, detail: failure.message)
    }

    /// What callers are told of a server elsewhere: not which one it is, nor what it said.
    private static func general(_ problem: String) -> String {
        "the server that the model is on \(problem); the request's x-request-id names it in the log"
    }

    /// Whether asking the same again may help.
    var mayPass: Bool {
        switch self.code {
        case .unavailable, .failed, .queueFull, .rateLimited, .queueTimeout, .timeout: true
        case .quotaExceeded, .endpointNotFound, .revisionNotFound, .invalidInput, .guardRefused, .unsupportedParameter,
            .promptTooLong, .interrupted:
            false
        }
    }
}

extension OutboundFailure.Kind {
    /// The end of a sentence for callers, who are told neither which one it is nor what it said.
    fileprivate var words: String {
        switch self {
        case .unavailable: "cannot be reached"
        case .timedOut: "took too long"
        case .rateLimited: "has had too many requests"
        case .refused: "may not be called"
        case .rejected: "refused the call"
        case .invalidAnswer: "gave no proper answer"
        case .misconfigured: "is not set up properly"
        case .invalidInput: "cannot be sent what the chain gives it"
        }
    }
}

extension MartletError {
    /// Whether it tells of servers elsewhere, or of the keys for them.
    fileprivate var isOfUpstreams: Bool {
        switch self.code {
        case "UpstreamUnavailable", "InvalidUpstream", "SecretMissing", "SecretExposed": true
        default: self.cause is UpstreamFailure || (self.cause as? MartletError)?.isOfUpstreams ?? false
        }
    }
}
