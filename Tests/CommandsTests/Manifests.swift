/// The files of a small repository, as tests change them.
enum Manifests {
    /// A chain of one prompt behind the endpoint `desk`.
    static let desk: [String: String] = [
        "models/tiny.yaml": """
        apiVersion: martlet.dev/v1
        kind: Model
        metadata: {name: tiny}
        spec: {engine: replay, source: {uri: models/tiny.jsonl}}

        """,
        "models/tiny.jsonl": "{\"default\": true, \"output\": \"yes\"}\n",
        "prompts/reply.yaml": """
        apiVersion: martlet.dev/v1
        kind: PromptTemplate
        metadata: {name: reply}
        spec:
          variables: {message: {type: string}}
          messages: [{role: user, content: "{{message}}"}]

        """,
        "desk.yaml": """
        apiVersion: martlet.dev/v1
        kind: Chain
        metadata: {name: desk}
        spec:
          input: {schema: {type: object, required: [message], properties: {message: {type: string}}}}
          steps:
            - name: answer
              prompt: {template: reply, model: tiny}
              with: {message: $.input.message}
        ---
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: desk, labels: {team: support}}
        spec:
          serve: {chain: desk}
          access: {anonymous: true}

        """,
    ]

    /// The same with some files changed or added; nil takes one away.
    static func desk(_ changes: [String: String?]) -> [String: String] {
        var files = Manifests.desk
        for (path, text) in changes { files[path] = text }
        return files
    }

    /// `prompts/reply.yaml` with another text.
    static func reply(_ content: String) -> String {
        (Manifests.desk["prompts/reply.yaml"] ?? "").replacing("{{message}}", with: content)
    }
}
