import Planning
import Schema

extension PolicyTests {
    static let callCases = [
        Case(
            "a step within steps and a tool that ask allowed hosts",
            policy: Self.hosts,
            .chain,
            Self.calls("https://models.example.com/a", "https://a.internal.example/b")
        ),
        Case(
            "a step within steps that asks another host",
            policy: Self.hosts,
            .chain,
            Self.calls("https://evil.example/a", "https://a.internal.example/b"),
            finds: "spec.hosts.allow at spec.steps[0].parallel.steps[0].http.url: host 'evil.example' is not allowed"
        ),
        Case(
            "a tool that asks another host",
            policy: Self.hosts,
            .chain,
            Self.calls("https://models.example.com/a", "http://169.254.169.254/latest"),
            finds: "spec.hosts.allow at spec.steps[1].agent.tools[0].http.url: host '169.254.169.254' is not allowed"
        ),
        Case(
            "a private network that nobody has allowed",
            policy: Self.hosts,
            .chain,
            Self.calls("https://models.example.com/a", "https://a.internal.example/b", ["allowPrivate": true]),
            finds: "spec.hosts.allowPrivate at spec.steps[0].parallel.steps[0].http.allowPrivate: hosts of private"
        ),
        Case(
            "a private network that the policy allows",
            policy: ["hosts": ["allow": ["models.example.com", "*.internal.example"], "allowPrivate": true]],
            .chain,
            Self.calls("https://models.example.com/a", "https://a.internal.example/b", ["allowPrivate": true])
        ),
    ]

    /// A chain with a step within steps, and a tool, that ask servers elsewhere.
    private static func calls(_ step: JSONValue, _ tool: JSONValue, _ more: [String: JSONValue] = [:]) -> JSONValue {
        let call: [String: JSONValue] = ["url": step]
        return [
            "steps": [
                [
                    "name": "a",
                    "parallel": ["steps": [["name": "b", "http": .object(call.merging(more) { old, _ in old })]]],
                ],
                [
                    "name": "c",
                    "agent": [
                        "model": "m", "tools": [["name": "t", "description": "T.", "http": ["url": tool]]],
                    ],
                ],
            ]
        ]
    }
}
