extension Shape {
    /// What a value of this shape is, as the end of "must be …".
    package var expectation: String {
        switch self {
        case .text(let rule): rule.format?.expectation ?? "a text"
        case .integer(let range): Shape.describe(range)
        case .number(let range):
            range.upperBound >= 1e15
                ? "a number" : "a number from \(Shape.spell(range.lowerBound)) to \(Shape.spell(range.upperBound))"
        case .boolean: "true or false"
        case .word(let words): words.count == 1 ? "'\(words[0])'" : "one of \(words.joined(separator: ", "))"
        case .quantity(.duration): "a duration such as '30s', '10m' or '24h'"
        case .quantity(.memory): "an amount of memory such as '512Mi' or '4Gi'"
        case .quantity(.percentage): "a percentage such as '99.9%'"
        case .quantity(.rate): "a rate such as '100/s' or '1M/1d'"
        case .quantity(.count): "a whole number such as '1000', '200k' or '5M'"
        case .reference(let kind): "the name of \(kind.article) \(kind.rawValue), or namespace/name"
        case .secret: "{fromEnv: NAME} or {fromFile: name}"
        case .object, .map: "a mapping"
        case .list: "a list"
        case .either(let shapes): shapes.map(\.expectation).joined(separator: " or ")
        case .any, .expression: "any value"
        case .named(let name): name.shape.expectation
        }
    }

    private static func describe(_ range: ClosedRange<Int64>) -> String {
        range.upperBound == .max
            ? "a whole number of at least \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }

    private static func spell(_ number: Double) -> String {
        Int64(exactly: number).map(String.init) ?? "\(number)"
    }
}

extension Kind {
    /// The indefinite article in front of the kind's name.
    package var article: String {
        switch self {
        case .endpoint, .evaluation, .overlay: "an"
        case .model, .promptTemplate, .chain, .dataset, .monitor, .knowledgeBase, .featureTable, .tenant, .receiver,
            .trigger, .batchJob, .streamJob, .policy, .cluster:
            "a"
        }
    }
}
