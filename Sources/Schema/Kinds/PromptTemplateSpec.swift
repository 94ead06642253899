/// `PromptTemplate`: a prompt as code and its examples as data.
package struct PromptTemplateSpec: Sendable, Hashable, Codable {
    package enum VariableType: String, Sendable, Hashable, Codable, CaseIterable {
        case string
        case integer
        case number
        case boolean
        case array
        case object
    }

    package struct Variable: Sendable, Hashable, Codable {
        package var type: VariableType
        /// In characters.
        package var maxLength: Int?
        package var `enum`: [JSONValue]?
        package var `default`: JSONValue?
        /// A JSON Schema that values fit beside all that.
        package var schema: JSONValue?
    }

    package struct Message: Sendable, Hashable, Codable {
        package enum Role: String, Sendable, Hashable, Codable, CaseIterable {
            case system
            case user
            case assistant
        }

        package var role: Role
        /// Mustache in text mode.
        package var content: String
    }

    /// Few-shot pairs, from a dataset or inline.
    package struct Examples: Sendable, Hashable {
        package struct Pair: Sendable, Hashable, Codable {
            package var input: JSONValue
            package var output: JSONValue

            package init(input: JSONValue, output: JSONValue) {
                self.input = input
                self.output = output
            }
        }

        /// The columns of a dataset that pairs are made of.
        package struct Columns: Sendable, Hashable, Codable {
            package var input: String
            package var output: String

            package init(input: String = "input", output: String = "output") {
                self.input = input
                self.output = output
            }
        }

        package var dataset: String?
        package var limit: Int?
        package var columns = Columns()
        package var inline: [Pair]?
    }

    package struct Parameters: Sendable, Hashable, Codable {
        package var temperature: Double?
        package var topP: Double?
        package var topK: Int?
        package var minP: Double?
        package var maxTokens: Int?
        package var stop: [String]
        package var seed: UInt32?
        package var frequencyPenalty: Double?
        package var presencePenalty: Double?
    }

    package struct Output: Sendable, Hashable, Codable {
        package enum OnInvalid: String, Sendable, Hashable, Codable, CaseIterable {
            case retry
            case repair
            case fail
            case pass
        }

        package var schema: JSONValue?
        package var onInvalid: OnInvalid
        package var retries: Int
    }

    /// Something that what is asked or answered must not be.
    package struct Guard: Sendable, Hashable {
        package enum Rule: Sendable, Hashable {
            /// The longest accepted text, in tokens.
            case maxTokens(Int)
            case deny(pattern: String)
            case topics(Topics)
        }

        package enum Action: String, Sendable, Hashable, Codable, CaseIterable {
            case refuse
            case redact
            case flag
        }

        package var rule: Rule
        package var action: Action
    }

    /// What may be talked about, by the distance of embeddings.
    package struct Topics: Sendable, Hashable, Codable {
        /// Texts that are typical of what is allowed.
        package var allow: [String]
        /// The Model that makes the vectors.
        package var model: String
        /// The least cosine between a text and the nearest of ``allow``.
        package var minSimilarity: Double
        /// The variables that are looked at; nil: all texts without an `enum`.
        package var variables: [String]?
    }

    package struct Guards: Sendable, Hashable, Codable {
        package var input: [Guard]
        package var output: [Guard]
    }

    package var variables: [String: Variable]
    package var messages: [Message]
    package var examples: Examples?
    package var parameters: Parameters
    package var output: Output?
    package var guards: Guards?
}
