package import Schema

/// What the text of an answer must be.
package enum OutputFormat: Sendable, Hashable {
    /// A JSON Schema under the name that the caller gave it.
    package struct NamedSchema: Sendable, Hashable {
        package var name: String
        /// What the answer is for, in words for the model.
        package var description: String?
        package var schema: JSONValue
        /// Whether an answer that fits is promised, rather than only checked: a model that cannot keep the promise
        /// refuses.
        package var isStrict: Bool

        package init(name: String, description: String? = nil, schema: JSONValue, isStrict: Bool = false) {
            self.name = name
            self.description = description
            self.schema = schema
            self.isStrict = isStrict
        }
    }

    case text
    /// One JSON object of any members.
    case jsonObject
    case jsonSchema(NamedSchema)
}
