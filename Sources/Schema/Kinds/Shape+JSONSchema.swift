extension Shape {
    /// The forms of a JSON Schema's keywords; ``JSONSchemaCheck`` refuses those that nothing carries out.
    static let jsonSchemaObject = Shape.object(
        ObjectShape(
            [
                .optional("type", .either([jsonType, .list(jsonType, atLeast: 1)]), "The accepted types."),
                .optional("properties", .map(.jsonSchema), "Schemas of members, by name."),
                .optional("required", .list(.string), "Members that must be there."),
                .optional(
                    "additionalProperties",
                    .either([.boolean, .jsonSchema]),
                    "The schema of all other members."
                ),
                .optional("items", .either([.boolean, .jsonSchema]), "The schema of elements."),
                .optional("enum", .list(.any, atLeast: 1), "The accepted values."),
                .optional("const", .any, "The one accepted value."),
                .optional("anyOf", .list(.jsonSchema, atLeast: 1), "At least one must accept."),
                .optional("oneOf", .list(.jsonSchema, atLeast: 1), "Exactly one must accept."),
                .optional("allOf", .list(.jsonSchema, atLeast: 1), "All must accept."),
                .optional("not", .jsonSchema, "Must not accept."),
                .optional("pattern", .format(.regex), "A regular expression that a string must match."),
                .optional("minLength", .integer(atLeast: 0), "The shortest string, in characters."),
                .optional("maxLength", .integer(atLeast: 0), "The longest string, in characters."),
                .optional("minItems", .integer(atLeast: 0), "The shortest array."),
                .optional("maxItems", .integer(atLeast: 0), "The longest array."),
                .optional("uniqueItems", .boolean, "Whether no element may occur twice."),
                .optional("minProperties", .integer(atLeast: 0), "The fewest members."),
                .optional("maxProperties", .integer(atLeast: 0), "The most members."),
                .optional("minimum", anyNumber, "The smallest number."),
                .optional("maximum", anyNumber, "The largest number."),
                .optional("exclusiveMinimum", anyNumber, "Numbers must be larger."),
                .optional("exclusiveMaximum", anyNumber, "Numbers must be smaller."),
                .optional("multipleOf", anyNumber, "Numbers must be multiples."),
                .optional("description", .string, "What the value is."),
                .optional("title", .string, "What the value is called."),
            ],
            others: .any
        )
    )

    private static let jsonType = Shape.word(["string", "integer", "number", "boolean", "array", "object", "null"])
    private static let anyNumber = Shape.number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
}
