extension ChainSpec {
    /// Whether repeating a call changes anything.
    package enum Effects: String, Sendable, Hashable, Codable, CaseIterable {
        case read
        case write
    }

    /// `retrieve`: pieces of a knowledge base.
    package struct Retrieve: Sendable, Hashable, Codable {
        package var knowledgeBase: String
        /// A text, or a reference to one.
        package var query: JSONValue
        package var top: Int
        package var minScore: Double?
    }

    /// `features`: a row by its key.
    package struct Features: Sendable, Hashable, Codable {
        package var table: String
        /// One value, a list with one for each column of the key, or an object that names them.
        package var key: JSONValue
        package var columns: [String]?
    }

    /// `http`: a call of a server on an allowed host.
    package struct HTTPCall: Sendable, Hashable, Codable {
        package var url: String
        package var method: String
        package var headers: [String: HeaderValue]
        /// Appended to the address, by name; values that are absent are left out.
        package var query: [String: JSONValue]
        /// Nil: the step's `with`, or a tool's arguments.
        package var body: JSONValue?
        package var effects: Effects
        /// Whether the host's address may be one of a private network.
        package var allowPrivate: Bool
    }

    /// The value of a header: a text, or a secret by name.
    package enum HeaderValue: Sendable, Hashable {
        case text(String)
        case secret(SecretReference)
    }

    /// `program`: a program of the team's own, kept warm.
    package struct Program: Sendable, Hashable, Codable {
        /// Repository-relative: the program, or the folder that holds it.
        package var path: String
        package var command: [String]
        package var memory: ByteCount
        /// In cores.
        package var cpu: Double
        package var timeout: ManifestDuration
        package var effects: Effects
    }

    /// `ensemble`: several answers to one question, made into one.
    package struct Ensemble: Sendable, Hashable, Codable {
        package enum Combination: String, Sendable, Hashable, Codable, CaseIterable {
            /// The output that most steps agree on; of several, the one that comes first.
            case majority
            /// Of numbers, or of lists of as many numbers each.
            case mean
            /// The first in the order of the steps.
            case first
            /// All of them.
            case list
        }

        package var steps: [Step]
        package var combine: Combination
    }

    /// `agent`: a model that chooses among tools until it is done.
    package struct Agent: Sendable, Hashable, Codable {
        /// How the model says which tool it wants.
        package enum CallProtocol: String, Sendable, Hashable, Codable, CaseIterable {
            /// As its chat template spells calls, where it knows any; by `react` where it does not.
            case auto
            case native
            /// As lines of text: a thought, an action with its input, and what was observed.
            case react
        }

        package var model: String
        package var template: String?
        package var tools: [Tool]
        package var maxTurns: Int
        package var callProtocol: CallProtocol

        private enum CodingKeys: String, CodingKey {
            case model
            case template
            case tools
            case maxTurns
            case callProtocol = "protocol"
        }
    }

    /// Something that an agent may do.
    package struct Tool: Sendable, Hashable {
        package enum Action: Sendable, Hashable {
            case chain(String)
            case retrieve(knowledgeBase: String, top: Int)
            case features(table: String, columns: [String]?)
            case http(HTTPCall)
            case program(Program)
        }

        /// What the model calls it.
        package var name: String
        /// What the model reads about it.
        package var description: String
        /// The JSON Schema of its arguments; nil: what its action takes.
        package var input: JSONValue?
        package var action: Action
        package var effects: Effects
    }
}
