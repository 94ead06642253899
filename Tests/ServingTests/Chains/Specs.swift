import Foundation
import Planning
import Schema

@testable import Serving

/// Specs as a reader would make them, from JSON with the defaults filled in.
enum Specs {
    static func decode<Spec: Decodable>(_ value: JSONValue, as type: Spec.Type = Spec.self) throws -> Spec {
        try JSONDecoder().decode(type, from: Data(value.canonicalJSON.utf8))
    }

    /// A template; `variables` maps names to declarations, of which only what differs from a plain string is given.
    static func template(
        _ name: String = "greet",
        variables: JSONValue = ["message": [:]],
        messages: JSONValue = [["role": "user", "content": "{{message}}"]],
        parameters: JSONValue = [:],
        output: JSONValue? = nil,
        examples: JSONValue = [],
        guards: JSONValue? = nil
    ) throws -> RevisionGraph.Template {
        var spec: [String: JSONValue] = ["messages": messages]
        spec["variables"] = .object(
            (variables.object ?? [:]).mapValues { .object(["type": "string"].merging($0.object ?? [:]) { $1 }) }
        )
        spec["parameters"] = .object(["stop": []].merging(parameters.object ?? [:]) { $1 })
        spec["output"] = output.map { .object(["onInvalid": "retry", "retries": 1].merging($0.object ?? [:]) { $1 }) }
        spec["guards"] = guards
        return RevisionGraph.Template(
            identity: ResourceIdentity(.promptTemplate, namespace: "default", name: name),
            digest: Digest(canonical: .object(spec)),
            spec: try self.decode(.object(spec)),
            examples: try self.decode(examples)
        )
    }

    /// A step with what it leaves out.
    static func step(_ step: JSONValue) -> JSONValue {
        .object(["with": [:], "onError": "fail"].merging(step.object ?? [:]) { $1 })
    }

    /// A chain; steps get what they leave out.
    static func chain(steps: [JSONValue], output: JSONValue? = nil, input: JSONValue? = nil) throws -> ChainSpec {
        var spec: [String: JSONValue] = [:]
        spec["steps"] = .array(
            steps.map { self.step($0) }
        )
        spec["output"] = output
        spec["input"] = input.map { ["schema": $0] }
        return try self.decode(.object(spec))
    }

    /// A step that asks model `m` with template `greet`.
    static func prompt(_ name: String, _ message: JSONValue, _ more: JSONValue = [:]) -> JSONValue {
        let step: [String: JSONValue] = [
            "name": .string(name),
            "prompt": ["template": "greet", "model": "m"],
            "with": ["message": message],
        ]
        return .object(step.merging(more.object ?? [:]) { $1 })
    }

    static let model = ResourceIdentity(.model, namespace: "default", name: "m")

    /// Settings of an endpoint that lets everybody in.
    static func settings(_ changes: JSONValue = [:]) throws -> EndpointSettings {
        let spec: [String: JSONValue] = [
            "serve": ["model": "m"],
            "replicas": [
                "min": 1, "max": 1, "targetConcurrency": 4, "scaleUpDelay": "5s", "scaleDownDelay": "60s",
            ],
            "queue": ["limit": 256, "timeout": "30s"],
            "rollout": [
                "strategy": "immediate", "steps": [], "stickyBy": "none", "progressDeadline": "1h",
                "drainTimeout": "30s", "onFailure": "rollback", "swap": false,
            ],
            "tenants": [],
            "access": ["anonymous": true, "tenants": []],
            "limits": ["maxBodyBytes": "1Mi", "timeout": "60s"],
        ]
        let merged = JSONValue.object(spec.merging(changes.object ?? [:]) { $1 })
        return EndpointSettings(of: try self.decode(merged), revision: Revision(Digest(canonical: merged)))
    }
}
