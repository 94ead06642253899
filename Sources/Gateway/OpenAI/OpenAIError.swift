internal import HTTPTypes
package import Schema
package import Serving

/// An error of the data plane, in the form that OpenAI's clients read.
package struct OpenAIError: Error, Sendable, Hashable {
    /// The HTTP status code.
    package var status: Int
    package var message: String
    /// `invalid_request_error`, `rate_limit_error`, `insufficient_quota` or `server_error`.
    package var type: String
    /// The request's field at fault, where one is: `messages[0].content`.
    package var parameter: String?
    /// A stable word for programs: `model_not_found`.
    package var code: String
    /// Seconds after which to try again, where that helps.
    package var retryAfter: Int?
    /// What the resource does allow, for 405.
    package var allowedMethods: [String] = []

    package init(
        status: Int,
        _ message: String,
        type: String = "invalid_request_error",
        parameter: String? = nil,
        code: String,
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.parameter = parameter
        self.code = code
        self.retryAfter = retryAfter
    }

    /// The same error, which names the field that the prompt stands in where that is too long.
    func naming(prompt field: String) -> OpenAIError {
        var error = self
        if error.code == "context_length_exceeded", error.parameter == nil { error.parameter = field }
        return error
    }

    /// The body of the answer: `{"error": {"message", "type", "param", "code"}}`.
    package var body: JSONValue {
        [
            "error": [
                "message": .string(self.message),
                "type": .string(self.type),
                "param": self.parameter.map { .string($0) } ?? .null,
                "code": .string(self.code),
            ]
        ]
    }

    /// The body of the answer on paths of the Open Inference Protocol: `{"error": "…"}`.
    package var inferenceBody: JSONValue { ["error": .string(self.message)] }
}

extension OpenAIError {
    /// A parameter whose value is not what it must be.
    package static func invalid(_ message: String, parameter: String?, code: String = "invalid_value") -> OpenAIError {
        OpenAIError(status: 400, message, parameter: parameter, code: code)
    }

    /// A parameter that asks for what cannot be done here.
    package static func unsupported(_ message: String, parameter: String?) -> OpenAIError {
        OpenAIError(status: 400, message, parameter: parameter, code: "unsupported_parameter")
    }

    /// An endpoint that does not exist, or not for this caller: the two answer alike.
    ///
    /// - Parameter index: the path that lists the caller's endpoints in the protocol that it speaks.
    package static func unknownModel(_ name: String, index: String = "/v1/models") -> OpenAIError {
        OpenAIError(
            status: 404,
            "There is no model '\(name.shortened)', or you may not use it; GET \(index) lists those that you may.",
            parameter: "model",
            code: "model_not_found"
        )
    }

    /// What ``CallError`` means over HTTP.
    package init(_ error: CallError) {
        switch error.code {
        case .endpointNotFound, .revisionNotFound:
            self.init(status: 404, error.message, code: "model_not_found")
        case .invalidInput:
            self.init(status: 400, error.message, code: "invalid_value")
        case .guardRefused:
            self.init(status: 400, error.message, code: "guard_refused")
        case .unsupportedParameter:
            self.init(status: 400, error.message, code: "unsupported_parameter")
        case .promptTooLong:
            self.init(status: 400, error.message, code: "context_length_exceeded")
        case .quotaExceeded:
            self.init(status: 429, error.message, type: "insufficient_quota", code: "insufficient_quota")
        case .queueFull, .rateLimited:
            self.init(status: 429, error.message, type: "rate_limit_error", code: "rate_limit_exceeded")
        case .unavailable:
            self.init(status: 503, error.message, type: "server_error", code: "unavailable")
        case .queueTimeout:
            self.init(status: 503, error.message, type: "server_error", code: "queue_timeout")
        case .interrupted:
            self.init(status: 503, error.message, type: "server_error", code: "interrupted")
        case .timeout:
            self.init(status: 504, error.message, type: "server_error", code: "timeout")
        case .failed:
            self.init(status: 500, error.message, type: "server_error", code: "internal_error")
        }
        self.parameter = error.parameter
        switch error.code {
        case .quotaExceeded: break
        case .queueFull, .rateLimited, .unavailable, .queueTimeout, .interrupted:
            self.retryAfter = error.retryAfter ?? 1
        case .endpointNotFound, .revisionNotFound, .invalidInput, .guardRefused, .unsupportedParameter, .promptTooLong,
            .timeout, .failed:
            self.retryAfter = error.retryAfter
        }
    }

    /// What any error on the way to an answer means; what callers must not see is told in general words.
    package init(_ error: any Error) {
        switch error {
        case let error as OpenAIError: self = error
        case let error as CallError: self.init(error)
        case is CancellationError:
            self.init(status: 503, "The work was cancelled.", type: "server_error", code: "cancelled", retryAfter: 1)
        default:
            if let refusal = RequestRefusal(error) {
                self.init(refusal)
                return
            }
            self.init(
                status: 500,
                "The request failed inside the server; its x-request-id names it in the log.",
                type: "server_error",
                code: "internal_error"
            )
        }
    }

    init(_ refusal: RequestRefusal) {
        let code =
            switch refusal {
            case .nothingThere: "not_found"
            case .methodNotAllowed: "method_not_allowed"
            case .bodyTooLarge: "request_too_large"
            case .bodyEncoded: "unsupported_encoding"
            case .bodyBrokenOff: "incomplete_body"
            }
        self.init(status: refusal.status.code, refusal.message, code: code)
        self.allowedMethods = refusal.allowedMethods
    }
}
