extension Shape {
    /// What a value of this shape is, as the end of "must be …".
    package var expectation: String {
        switch self {
        case .text(let rule): rule.format?.expectation ?? "a text"
        case .integer(let range): "a whole number" + Shape.describe(range, isUnbounded: range.upperBound == .max)
        case .number(let range): "a number" + Shape.describe(range, isUnbounded: range.upperBound >= 1e15)
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

    private static func describe<Bound>(_ range: ClosedRange<Bound>, isUnbounded: Bool) -> String {
        isUnbounded ? " of at least \(range.lowerBound)" : " from \(range.lowerBound) to \(range.upperBound)"
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
