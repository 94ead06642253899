/// `Chain`: a graph of steps, versioned as one artifact.
package struct ChainSpec: Sendable, Hashable, Codable {
    package struct Input: Sendable, Hashable, Codable {
        package var schema: JSONValue
    }

    /// `prompt`: a template rendered and completed by a model.
    package struct PromptStep: Sendable, Hashable, Codable {
        package var template: String
        package var model: String
        package var adapter: String?
    }

    package struct Retries: Sendable, Hashable, Codable {
        package var attempts: Int
        package var backoff: ManifestDuration
    }

    /// `onError`: `fail`, `skip` or `{use: …}`.
    package enum OnError: Sendable, Hashable {
        case fail
        case skip
        /// A literal, or a reference, that stands in for the output.
        case use(JSONValue)
    }

    /// `when`: a test on a value, or its negation.
    package indirect enum Condition: Sendable, Hashable {
        case isIn(value: JSONValue, choices: [JSONValue])
        case equals(value: JSONValue, to: JSONValue)
        /// The value is there and is neither null nor false.
        case present(value: JSONValue)
        case not(Condition)
        case all([Condition])
        case any([Condition])
    }

    /// What a step does, by its one action field.
    package enum Action: Sendable, Hashable {
        case prompt(PromptStep)
        /// Asks a model of tensors or of embeddings, by reference.
        case model(String)
        case retrieve(Retrieve)
        case features(Features)
        case http(HTTPCall)
        case program(Program)
        /// Runs another chain, by reference, whose input is `with`.
        case chain(String)
        /// Runs steps at once; the output holds theirs by name.
        case parallel([Step])
        case ensemble(Ensemble)
        case agent(Agent)
        /// Shapes data: a value whose strings may be references.
        case set(JSONValue)
    }

    package struct Step: Sendable, Hashable {
        package var name: String
        package var when: Condition?
        package var action: Action
        /// Values for the template's variables; strings that begin with `$` are references.
        package var with: [String: JSONValue]
        package var timeout: ManifestDuration?
        package var retries: Retries?
        package var onError: OnError

        package init(
            name: String,
            when: Condition? = nil,
            action: Action,
            with: [String: JSONValue] = [:],
            timeout: ManifestDuration? = nil,
            retries: Retries? = nil,
            onError: OnError = .fail
        ) {
            self.name = name
            self.when = when
            self.action = action
            self.with = with
            self.timeout = timeout
            self.retries = retries
            self.onError = onError
        }
    }

    /// `limits`: where one run of the chain ends at the latest.
    package struct Limits: Sendable, Hashable, Codable {
        /// Steps that are begun, those of other chains, of retries and the calls of tools among them.
        package var maxSteps: Int
        package var timeout: ManifestDuration?

        package init(maxSteps: Int = 1000, timeout: ManifestDuration? = nil) {
            self.maxSteps = maxSteps
            self.timeout = timeout
        }
    }

    package var input: Input?
    package var steps: [Step]
    /// A reference, a literal, `{firstOf: […]}`, or an object of these; nil: the output of the last step.
    package var output: JSONValue?
    /// Nil: the defaults.
    package var limits: Limits?
}
