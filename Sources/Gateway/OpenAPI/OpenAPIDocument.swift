internal import Schema

/// The OpenAPI 3.1 document of the data plane and the admin API.
enum OpenAPIDocument {
    /// The whole document; both listeners serve it.
    static let value: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "Martlet",
            "version": "1",
            "description": .string(
                "Paths under /v1 and /v2 belong to the data plane, where endpoints are called. Paths under /api/v1 belong to "
                    + "the admin API, which listens on a Unix socket in the state directory."
            ),
        ],
        "paths": .object(Self.merged(Self.dataPlanePaths, Self.inferencePaths, Self.adminPaths, Self.recordPaths)),
        "components": [
            "schemas": .object(
                Self.merged(Self.dataPlaneSchemas, Self.inferenceSchemas, Self.adminSchemas, Self.recordSchemas)
            )
        ],
    ]

    private static func merged(_ parts: [String: JSONValue]...) -> [String: JSONValue] {
        parts.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }

    /// One operation; `answers` are response objects by status.
    static func operation(
        _ id: String,
        _ summary: String,
        parameters: [JSONValue] = [],
        body: JSONValue? = nil,
        answers: [String: JSONValue]
    ) -> JSONValue {
        var members: [String: JSONValue] = [
            "operationId": .string(id), "summary": .string(summary), "responses": .object(answers),
        ]
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body {
            members["requestBody"] = ["required": true, "content": ["application/json": ["schema": body]]]
        }
        return .object(members)
    }

    /// A response object; `types` are schemas by media type.
    static func answer(_ description: String, _ types: [String: JSONValue] = [:]) -> JSONValue {
        var members: [String: JSONValue] = ["description": .string(description)]
        if !types.isEmpty { members["content"] = .object(types.mapValues { ["schema": $0] }) }
        return .object(members)
    }

    /// A parameter in the path or, where it may be left out, in the query.
    static func parameter(_ name: String, in place: String, _ schema: JSONValue, _ description: String) -> JSONValue {
        [
            "name": .string(name), "in": .string(place), "required": .bool(place == "path"), "schema": schema,
            "description": .string(description),
        ]
    }

    static func reference(_ schema: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/\(schema)")]
    }

    static func array(of schema: JSONValue) -> JSONValue {
        ["type": "array", "items": schema]
    }

    /// An object schema; members that are not `required` may be missing.
    static func object(
        _ properties: [String: JSONValue],
        required: [String] = [],
        closed: Bool = false
    ) -> JSONValue {
        var members: [String: JSONValue] = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { members["required"] = .array(required.sorted().map { .string($0) }) }
        if closed { members["additionalProperties"] = false }
        return .object(members)
    }

    static let string: JSONValue = ["type": "string"]
    static let integer: JSONValue = ["type": "integer"]
    static let boolean: JSONValue = ["type": "boolean"]

    static func words(_ words: [String]) -> JSONValue {
        ["type": "string", "enum": .array(words.map { .string($0) })]
    }
}
