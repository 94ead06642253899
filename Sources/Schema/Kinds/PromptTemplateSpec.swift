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

        package var dataset: String?
        package var limit: Int?
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
            case fail
            case pass
        }

        package var schema: JSONValue?
        package var onInvalid: OnInvalid
        package var retries: Int
    }

    package var variables: [String: Variable]
    package var messages: [Message]
    package var examples: Examples?
    package var parameters: Parameters
    package var output: Output?
    /// Checked by the reader; refused by the plan until guards are available.
    package var guards: JSONValue?
}
