internal import Foundation
package import Planning
package import Schema

/// The built-in engine that answers from a recording: for trying out a repository, and for tests of what surrounds
/// a model.
///
/// A recording is a text file of JSON lines. Each gives an input and the answer to exactly that input:
///
///     {"input": {"messages": [{"role": "user", "content": "Hello"}]}, "output": "Good morning."}
///     {"input": {"prompt": "Once upon"}, "output": " a time."}
///     {"default": true, "output": "I do not know."}
///
/// The last form answers everything else; there may be one. Tokens are words.
package struct ReplayEngine: InferenceEngine {
    package let name = "replay"
    package let version = "1"

    package init() {}

    /// Knows one option: `contextLength`, the most words of an input, 4096 unless given.
    package func problems(inOptions options: [String: JSONValue]) -> [OptionProblem] {
        options.sorted { $0.key < $1.key }.compactMap { name, value in
            guard name == "contextLength" else {
                return OptionProblem(
                    option: name,
                    message: "the replay engine has no option '\(name)'; it knows contextLength"
                )
            }
            guard case .integer(let words) = value, (1...1_000_000).contains(words) else {
                return OptionProblem(option: name, message: "'\(name)' must be an integer from 1 to 1000000")
            }
            return nil
        }
    }

    package func open(_ opening: ModelOpening) throws -> LoadedModel {
        if let problem = self.problems(inOptions: opening.options).first {
            throw MartletError("InvalidOption", "model '\(opening.file)': \(problem.message)")
        }
        try self.requireAccelerator(of: opening)
        if let adapter = opening.adapters.first {
            throw MartletError("InvalidOption", "a recording takes no adapters, but '\(adapter.name)' is given")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: opening.file))
        } catch {
            throw MartletError("ModelUnreadable", "recording '\(opening.file)' cannot be read", cause: error)
        }
        var contextLength = 4096
        if case .integer(let words) = opening.options["contextLength"] { contextLength = Int(words) }
        let recording = try Recording(lines: data, file: opening.file)
        return .completion(
            ReplayModel(recording: recording, fileBytes: Int64(data.count), contextLength: contextLength)
        )
    }
}
