internal import Schema

extension SchemaGrammar {
    /// What building a grammar may cost: its parts are counted as they come, so that a schema which makes too many is
    /// refused before they take memory, and one whose alternatives multiply before it takes long.
    struct Budget: Sendable {
        /// Parts of the grammar that may still be added.
        private var size = Grammar.maximumSize
        /// Parts of schemas that may still be looked at, each time one is.
        private var steps = 1_000_000

        /// Pays for parts of the grammar. Throws `SchemaUnsupported`.
        mutating func take(_ parts: Int, at place: Place) throws(MartletError) {
            guard parts <= self.size else { throw MartletError.grammarTooLarge(at: place) }
            self.size -= parts
        }

        /// Pays for work. Throws `SchemaUnsupported`.
        mutating func spend(_ steps: Int, at place: Place) throws(MartletError) {
            guard steps <= self.steps else { throw MartletError.grammarTooLarge(at: place) }
            self.steps -= steps
        }
    }

    /// Where in the values of a schema something stands, as `$.lines[].name`, and how many rules lead there.
    struct Place: Sendable {
        private(set) var path = "$"
        private(set) var depth = 0

        /// The same place, by way of one more rule.
        var deeper: Place {
            var place = self
            place.depth += 1
            return place
        }

        /// A member or the elements of what stands here.
        func inside(_ step: String) -> Place {
            var place = self.deeper
            // Long enough to be found, and too short to cost much.
            if place.path.utf8.count < 200 { place.path += step.count > 64 ? "\(step.prefix(64))…" : step }
            return place
        }
    }
}

extension [JSONSchema.Rule] {
    /// How many parts are looked at whenever the rules are: what they consist of, without what they refer to.
    var cost: Int { self.reduce(1) { $0 + $1.cost } }
}

extension JSONSchema.Rule {
    fileprivate var cost: Int {
        switch self {
        case .never, .uniqueItems, .count, .pattern, .number, .reference: 1
        case .types(let names), .required(let names): 1 + names.count
        case .oneOfValues(let choices): 1 + choices.count
        case .properties(let schemas): schemas.values.reduce(1) { $0 + $1.rules.cost }
        case .others(let schema, let named): 1 + named.count + schema.rules.cost
        case .items(let schema), .not(let schema): 1 + schema.rules.cost
        case .anyOf(let schemas), .oneOf(let schemas), .allOf(let schemas): schemas.reduce(1) { $0 + $1.rules.cost }
        }
    }
}

extension MartletError {
    static func grammarTooLarge(at place: SchemaGrammar.Place) -> MartletError {
        MartletError(
            "SchemaUnsupported",
            "the schema makes too large a grammar at \(place.path); it takes fewer alternatives, lower counts or less depth"
        )
    }
}
