/// What a value of a manifest may be.
///
/// One declaration of every kind serves everything that must agree about it: the reader with its messages, the
/// defaults, canonical digests, references between resources and the published JSON Schemas.
package indirect enum Shape: Sendable {
    case text(TextRule)
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case boolean
    /// One of these words.
    case word([String])
    case quantity(QuantityShape)
    /// The name of a resource: `name`, or `namespace/name`.
    case reference(Kind)
    /// `{fromEnv: NAME}` or `{fromFile: name}`, never the secret itself.
    case secret
    case object(ObjectShape)
    /// Free keys of one form, and values of one shape.
    case map(keys: TextRule, values: Shape)
    case list(Shape, count: ClosedRange<Int>)
    /// One of several shapes that a value's form tells apart: at most one of them is a list, one a mapping.
    case either([Shape])
    /// Any JSON value.
    case any
    /// Any JSON value in which each string that begins with `$` is a reference to data of a request.
    case expression
    /// A shape that refers to itself, by name.
    case named(NamedShape)
}

/// The quantities with units that manifests know.
package enum QuantityShape: String, Sendable, Hashable, CaseIterable {
    case duration
    case memory
    case percentage
    case rate
    case count

    /// The one spelling of an amount, or nil when the text is none.
    package func normalized(_ text: String) -> String? {
        switch self {
        case .duration: ManifestDuration(text)?.description
        case .memory: ByteCount(text)?.description
        case .percentage: Percentage(text)?.description
        case .rate: Rate(text)?.description
        case .count: Count(text)?.description
        }
    }
}

/// A shape that can contain itself.
package enum NamedShape: String, Sendable, Hashable, CaseIterable {
    /// `when` of a chain's step.
    case condition
    /// One step of a chain.
    case step
    /// A JSON Schema for the data of requests.
    case jsonSchema

    package var shape: Shape {
        switch self {
        case .condition: .condition
        case .step: .step
        case .jsonSchema: .jsonSchemaObject
        }
    }
}

extension Shape {
    /// Any text, the empty one too.
    package static let string = Shape.text(TextRule())
    /// Text with at least one character.
    package static let nonEmptyString = Shape.text(TextRule(length: 1...TextRule.longest))
    package static let duration = Shape.quantity(.duration)
    package static let memory = Shape.quantity(.memory)
    package static let percentage = Shape.quantity(.percentage)
    package static let rate = Shape.quantity(.rate)
    package static let count = Shape.quantity(.count)
    package static let jsonSchema = Shape.named(.jsonSchema)

    /// Text of one format.
    package static func format(_ format: TextFormat) -> Shape {
        .text(TextRule(format: format))
    }

    /// A whole number with a lower bound only.
    package static func integer(atLeast minimum: Int64) -> Shape {
        .integer(minimum...Int64.max)
    }

    /// A list of at most 10,000 elements.
    package static func list(_ element: Shape, atLeast minimum: Int = 0) -> Shape {
        .list(element, count: minimum...10_000)
    }

    /// A mapping with free keys.
    package static func map(_ values: Shape) -> Shape {
        .map(keys: TextRule(), values: values)
    }

    /// The words of an enumeration of ours.
    package static func word<Words>(of words: Words.Type) -> Shape
    where Words: CaseIterable & RawRepresentable, Words.RawValue == String {
        .word(words.allCases.map(\.rawValue))
    }

    /// A mapping with these fields and no others.
    package static func object(_ fields: Field..., rules: [ObjectRule] = []) -> Shape {
        .object(ObjectShape(fields, rules: rules))
    }
}
