internal import Planning
internal import Schema

extension CallError {
    /// What callers are told about an error of a model or a step.
    init(mapping error: any Error) {
        switch error {
        case let error as CallError: self = error
        case let error as MartletError: self.init(mapping: error)
        case let failure as UpstreamFailure: self.init(mapping: failure)
        case is CancellationError: self.init(.interrupted, "the request was cancelled")
        default: self.init(.failed, "the model failed: \(error)")
        }
    }

    private init(mapping error: MartletError) {
        switch error.code {
        case "PromptTooLong": self.init(.promptTooLong, error.message)
        case "RateLimited": self.init(.rateLimited, error.message)
        case "QuotaExceeded": self.init(.quotaExceeded, error.message)
        case "UnsupportedParameter":
            // Such a message begins with the parameter's name, in quotes.
            let name = error.message.hasPrefix("'") ? error.message.split(separator: "'").first.map(String.init) : nil
            self.init(.unsupportedParameter, error.message, parameter: name)
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
        case .unavailable: self.init(.unavailable, failure.message)
        case .timedOut: self.init(.timeout, failure.message)
        case .rateLimited: self.init(.rateLimited, failure.message)
        case .exhausted: self.init(.quotaExceeded, failure.message)
        case .misconfigured: self.init(.failed, failure.message)
        case .rejected: self.init(.invalidInput, failure.message)
        case .tooLong: self.init(.promptTooLong, failure.message)
        }
        self.parameter = failure.parameter
        self.retryAfter = failure.retryAfter
    }

    /// Whether asking the same again may help.
    var mayPass: Bool {
        switch self.code {
        case .unavailable, .failed, .queueFull, .rateLimited, .queueTimeout, .timeout: true
        case .quotaExceeded, .endpointNotFound, .revisionNotFound, .invalidInput, .unsupportedParameter,
            .promptTooLong, .interrupted:
            false
        }
    }
}
