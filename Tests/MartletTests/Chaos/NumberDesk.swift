internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport

/// A repository of endpoints that answer with a number each; a commit gives one of them its next number.
///
/// Numbers come back only after 250 commits to an endpoint, so that within the life of one process an answer tells
/// which commit it comes from. Nothing but the built-in replay engine is needed.
struct NumberDesk: Sendable {
    /// What callers say.
    static let question = "Which number?"
    private static let numbers = 250

    let repository: TemporaryRepository
    let endpoints: [String]

    /// The repository with its first commit, in which every endpoint answers 0.
    init(endpoints count: Int) throws {
        self.repository = try TemporaryRepository()
        self.endpoints = (0..<count).map { "number-\($0)" }
        let answers = (0..<NumberDesk.numbers).map { number in
            #"{"input": {"messages": [{"role": "system", "content": "Say \#(number)."}, "#
                + #"{"role": "user", "content": "\#(NumberDesk.question)"}]}, "output": "\#(number)"}"#
        }
        try self.repository.write("models/counter.jsonl", answers.joined(separator: "\n") + "\n")
        try self.repository.write(
            "models/counter.yaml",
            """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: counter}
            spec: {engine: replay, source: {uri: models/counter.jsonl}}
            """
        )
        for endpoint in self.endpoints {
            try self.write(0, for: endpoint)
            try self.repository.write("endpoints/\(endpoint).yaml", NumberDesk.manifests(of: endpoint))
        }
        try self.repository.commit("Serve \(count) numbers")
    }

    /// Commits the number of an endpoint, modulo 250, and returns the number that it answers with then.
    func commit(_ number: Int, for endpoint: String) throws -> String {
        try self.write(number % NumberDesk.numbers, for: endpoint)
        try self.repository.commit("\(endpoint) says \(number % NumberDesk.numbers)")
        return "\(number % NumberDesk.numbers)"
    }

    private func write(_ number: Int, for endpoint: String) throws {
        try self.repository.write(
            "prompts/\(endpoint).yaml",
            """
            apiVersion: martlet.dev/v1
            kind: PromptTemplate
            metadata: {name: \(endpoint)}
            spec:
              variables: {message: {type: string}}
              messages:
                - {role: system, content: Say \(number).}
                - {role: user, content: "{{message}}"}
            """
        )
    }

    private static func manifests(of endpoint: String) -> String {
        """
        apiVersion: martlet.dev/v1
        kind: Chain
        metadata: {name: \(endpoint)}
        spec:
          input: {schema: {type: object, required: [message], properties: {message: {type: string}}}}
          steps:
            - name: say
              prompt: {template: \(endpoint), model: counter}
              with: {message: $.input.message}
        ---
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: \(endpoint)}
        spec: {serve: {chain: \(endpoint)}, access: {anonymous: true}}
        """
    }
}
