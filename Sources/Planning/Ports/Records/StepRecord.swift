package import Schema

/// What is written down of one step of a request.
package struct StepRecord: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case ok
        case failed
        case skipped
        case cancelled
    }

    /// Something of the repository that the step used, as it was then.
    package struct Named: Sendable, Hashable, Codable {
        /// `default/desk`.
        package var resource: String
        package var digest: String

        package init(resource: String, digest: String) {
            self.resource = resource
            self.digest = digest
        }
    }

    package var name: String
    /// `prompt`, `model`, `retrieve`, `set`, …
    package var type: String
    /// Since the request came.
    package var startMicroseconds: Int64
    package var microseconds: Int64
    package var status: Status
    /// How often it was tried; 0 where it was skipped.
    package var attempts: Int
    package var input: JSONValue?
    /// The messages that a template made of the input, as the model was asked the last time.
    package var prompt: JSONValue?
    package var output: JSONValue?
    package var usage: TokenUsage?
    package var model: Named?
    package var template: Named?
    /// The pieces of documents that it found.
    package var passages: [Passage]
    package var guards: [GuardRecord]
    package var errorCode: String?
    package var errorMessage: String?
    /// `read` or `write`, of steps that reach outside.
    package var effects: String?
    /// The steps within it, in the order in which they began.
    package var children: [StepRecord]

    package init(
        name: String,
        type: String,
        startMicroseconds: Int64 = 0,
        microseconds: Int64 = 0,
        status: Status = .ok,
        attempts: Int = 1,
        input: JSONValue? = nil,
        prompt: JSONValue? = nil,
        output: JSONValue? = nil,
        usage: TokenUsage? = nil,
        model: Named? = nil,
        template: Named? = nil,
        passages: [Passage] = [],
        guards: [GuardRecord] = [],
        errorCode: String? = nil,
        errorMessage: String? = nil,
        effects: String? = nil,
        children: [StepRecord] = []
    ) {
        self.name = name
        self.type = type
        self.startMicroseconds = startMicroseconds
        self.microseconds = microseconds
        self.status = status
        self.attempts = attempts
        self.input = input
        self.prompt = prompt
        self.output = output
        self.usage = usage
        self.model = model
        self.template = template
        self.passages = passages
        self.guards = guards
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.effects = effects
        self.children = children
    }
}

/// A guard of a prompt that fired.
package struct GuardRecord: Sendable, Hashable, Codable {
    /// `input` or `output`.
    package var place: String
    /// `deny`, `maxTokens` or `topics`.
    package var rule: String
    /// `refuse`, `redact` or `flag`.
    package var action: String
    /// Why it fired, in words.
    package var detail: String

    package init(place: String, rule: String, action: String, detail: String) {
        self.place = place
        self.rule = rule
        self.action = action
        self.detail = detail
    }
}
