import Schema
import TestSupport

/// A random JSON Schema together with the texts of values that fit it.
indirect enum RandomSchema {
    case constant([JSONValue])
    case null
    case boolean
    case string(from: Int, to: Int?)
    case integer(from: Int64?, to: Int64?)
    case number(from: Int64?, to: Int64?)
    case array(RandomSchema, from: Int, to: Int?)
    /// In the order in which grammars write them: required ones first.
    case object([(name: String, isRequired: Bool, schema: RandomSchema)])
    case map(RandomSchema)
    case anyOf([RandomSchema])
    /// The whole schema again.
    case itself

    init(depth: Int, using random: inout SeededRandom) {
        let low = random.oneIn(2) ? nil : Int64.random(in: -1200...1200, using: &random)
        let high = random.oneIn(2) ? nil : (low ?? -50) + Int64.random(in: 0...3000, using: &random)
        let from = Int.random(in: 0...2, using: &random)
        let to = random.oneIn(2) ? nil : from + Int.random(in: 0...3, using: &random)
        switch Int.random(in: 0..<(depth > 0 ? 11 : 6), using: &random) {
        case 0: self = .constant(Array(["a", 1, "ü\"\\\n", nil, ["k": [true]], 2.5][0...from]))
        case 1: self = .null
        case 2: self = .boolean
        case 3: self = .string(from: from, to: to)
        case 4: self = .integer(from: low, to: high)
        case 5: self = .number(from: low, to: high)
        case 6: self = .array(RandomSchema(depth: depth - 1, using: &random), from: from, to: to)
        case 7, 8:
            let names = ["b", "a", "with \"quotes\"", "é", "z-1"].shuffled(using: &random).prefix(from + 1)
            let required = Int.random(in: 0...names.count, using: &random)
            let order = names.prefix(required) + names.dropFirst(required).sorted()
            self = .object(
                order.enumerated().map { index, name in
                    let canBeLeftOut = index >= required
                    let schema =
                        canBeLeftOut && random.oneIn(4) ? .itself : RandomSchema(depth: depth - 1, using: &random)
                    return (name, !canBeLeftOut, schema)
                }
            )
        case 9: self = .map(RandomSchema(depth: depth - 1, using: &random))
        default:
            self = .anyOf((0...from).map { _ in RandomSchema(depth: depth - 1, using: &random) })
        }
    }

    /// The schema itself.
    var json: JSONValue {
        switch self {
        case .constant(let values): values.count == 1 ? ["const": values[0]] : ["enum": .array(values)]
        case .null: ["type": "null"]
        case .boolean: ["type": "boolean", "title": "either"]
        case .string(let from, let to):
            Self.bounded(["type": "string"], "minLength", from, "maxLength", to)
        case .integer(let from, let to):
            Self.bounded(["type": "integer"], "minimum", from.map { Int($0) }, "maximum", to.map { Int($0) })
        case .number(let from, let to):
            Self.bounded(
                ["type": "number"],
                "exclusiveMinimum",
                from.map { Int($0) - 1 },
                "maximum",
                to.map { Int($0) }
            )
        case .array(let schema, let from, let to):
            Self.bounded(["type": "array", "items": schema.json], "minItems", from, "maxItems", to)
        case .object(let members):
            [
                "type": "object",
                "properties": .object(Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.schema.json) })),
                "required": .array(members.filter(\.isRequired).map { .string($0.name) }),
                "additionalProperties": false,
            ]
        case .map(let schema): ["type": "object", "additionalProperties": schema.json]
        case .anyOf(let schemas): ["anyOf": .array(schemas.map(\.json))]
        case .itself: ["$ref": "#/$defs/whole"]
        }
    }

    private static func bounded(
        _ members: [String: JSONValue],
        _ lower: String,
        _ from: Int?,
        _ upper: String,
        _ to: Int?
    ) -> JSONValue {
        var members = members
        if let from { members[lower] = .integer(Int64(from)) }
        if let to { members[upper] = .integer(Int64(to)) }
        return .object(members)
    }

    /// A schema that may refer to itself.
    var whole: JSONValue {
        ["$defs": ["whole": self.json], "$ref": "#/$defs/whole"]
    }

    /// The text of a value that fits, with some white space.
    func text(of whole: RandomSchema, depth: Int = 3, using random: inout SeededRandom) -> String {
        let gap = random.pick(["", "", " ", "\n  "])
        func list(_ parts: [String]) -> String { parts.isEmpty ? gap : gap + parts.joined(separator: ",\(gap)") + gap }
        switch self {
        case .constant(let values): return random.pick(values).canonicalJSON
        case .null: return "null"
        case .boolean: return random.pick(["true", "false"])
        case .string(let from, let to):
            let count = Int.random(in: from...(to ?? from + 4), using: &random)
            let characters = (0..<count).map { _ in random.pick(["a", "é", "日", "🛋", "\\n", "\\\"", "\\u00e9", "/"]) }
            return "\"\(characters.joined())\""
        case .integer(let from, let to), .number(let from, let to):
            return String(
                Int64.random(in: (from ?? min(-2000, to ?? 0))...(to ?? max(2000, from ?? 0)), using: &random)
            )
        case .array(let schema, let from, let to):
            let count = Int.random(in: from...(to ?? from + 2), using: &random)
            let elements = (0..<count).map { _ in schema.text(of: whole, depth: depth, using: &random) }
            return "[\(list(elements))]"
        case .object(let members):
            var written: [String] = []
            for member in members where member.isRequired || (depth > 0 && random.oneIn(2)) {
                let value = member.schema.text(of: whole, depth: depth - 1, using: &random)
                written.append("\(JSONValue.string(member.name).canonicalJSON):\(gap)\(value)")
            }
            return "{\(list(written))}"
        case .map(let schema):
            let members = (0..<Int.random(in: 0...2, using: &random)).map {
                "\"k\($0)\":\(gap)\(schema.text(of: whole, depth: depth, using: &random))"
            }
            return "{\(list(members))}"
        case .anyOf(let schemas): return random.pick(schemas).text(of: whole, depth: depth, using: &random)
        case .itself: return whole.text(of: whole, depth: depth - 1, using: &random)
        }
    }
}
