/// The keywords of JSON Schema (draft 2020-12) that constrain a value, and that are carried out.
package enum JSONSchemaKeyword: String, Sendable, Hashable, CaseIterable {
    case type
    case `enum`
    case const
    case properties
    case required
    case additionalProperties
    case minProperties
    case maxProperties
    case items
    case minItems
    case maxItems
    case uniqueItems
    case minLength
    case maxLength
    case pattern
    case minimum
    case maximum
    case exclusiveMinimum
    case exclusiveMaximum
    case multipleOf
    case anyOf
    case oneOf
    case allOf
    case not
    /// Another part of the same schema: `#` and a JSON pointer.
    case reference = "$ref"

    /// Keywords that describe and constrain nothing: they are passed over.
    package static let annotations: Set<String> = [
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly",
        "writeOnly", "format", "discriminator", "$defs", "definitions",
    ]
}
