/// A mapping with named fields; a class, since every value of every manifest is held against one.
package final class ObjectShape: Sendable {
    /// In the order in which people read them.
    package let fields: [Field]
    package let rules: [ObjectRule]
    /// The shape of fields that are not declared; nil refuses them.
    package let others: Shape?
    /// What values of this shape may hold.
    let matter: ShapeMatter
    private let positions: [String: Int]

    package init(_ fields: [Field], rules: [ObjectRule] = [], others: Shape? = nil) {
        self.fields = fields
        self.rules = rules
        self.others = others
        self.matter = fields.reduce(others?.matter ?? []) { $0.union($1.shape.matter) }
        self.positions = Dictionary(
            zip(fields.map(\.name), fields.indices),
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The declaration of a field, or nil when there is none.
    package func field(_ name: String) -> Field? {
        self.positions[name].map { self.fields[$0] }
    }
}

/// A field of a mapping.
package final class Field: Sendable {
    package enum Presence: Sendable, Hashable {
        case required
        case optional
        /// Left out, it counts as this value.
        case defaulting(JSONValue)
    }

    package let name: String
    package let shape: Shape
    package let presence: Presence
    /// One sentence for readers of the reference.
    package let summary: String
    /// What a field that is left out counts as, with the defaults inside it filled in; nil where it has no default.
    let completeDefault: JSONValue?
    /// The same as digests have it.
    let canonicalDefault: JSONValue?

    /// Whether the field must be there.
    package var isRequired: Bool {
        switch self.presence {
        case .required: true
        case .optional, .defaulting: false
        }
    }

    private init(_ name: String, _ shape: Shape, _ presence: Presence, _ summary: String) {
        (self.name, self.shape, self.presence, self.summary) = (name, shape, presence, summary)
        switch presence {
        case .required, .optional: (self.completeDefault, self.canonicalDefault) = (nil, nil)
        case .defaulting(let value):
            (self.completeDefault, self.canonicalDefault) = (shape.complete(value), shape.canonical(value))
        }
    }

    /// A field that must be there.
    package static func required(_ name: String, _ shape: Shape, _ summary: String) -> Field {
        Field(name, shape, .required, summary)
    }

    /// A field that may be left out.
    package static func optional(_ name: String, _ shape: Shape, _ summary: String) -> Field {
        Field(name, shape, .optional, summary)
    }

    /// A field that counts as `value` where it is left out.
    package static func field(
        _ name: String,
        _ shape: Shape,
        default value: JSONValue,
        _ summary: String
    ) -> Field {
        Field(name, shape, .defaulting(value), summary)
    }
}

/// What the fields of one mapping demand of each other.
package enum ObjectRule: Sendable, Hashable {
    case exactlyOne([String])
    case atMostOne([String])
    case atLeastOne([String])

    package var names: [String] {
        switch self {
        case .exactlyOne(let names), .atMostOne(let names), .atLeastOne(let names): names
        }
    }
}
