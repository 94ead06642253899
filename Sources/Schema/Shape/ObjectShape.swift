/// A mapping with named fields.
package struct ObjectShape: Sendable {
    /// In the order in which people read them.
    package let fields: [Field]
    package let rules: [ObjectRule]
    /// The shape of fields that are not declared; nil refuses them.
    package let others: Shape?
    private let positions: [String: Int]

    package init(_ fields: [Field], rules: [ObjectRule] = [], others: Shape? = nil) {
        self.fields = fields
        self.rules = rules
        self.others = others
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
package struct Field: Sendable {
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

    /// A field that must be there.
    package static func required(_ name: String, _ shape: Shape, _ summary: String) -> Field {
        Field(name: name, shape: shape, presence: .required, summary: summary)
    }

    /// A field that may be left out.
    package static func optional(_ name: String, _ shape: Shape, _ summary: String) -> Field {
        Field(name: name, shape: shape, presence: .optional, summary: summary)
    }

    /// A field that counts as `value` where it is left out.
    package static func field(
        _ name: String,
        _ shape: Shape,
        default value: JSONValue,
        _ summary: String
    ) -> Field {
        Field(name: name, shape: shape, presence: .defaulting(value), summary: summary)
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
