internal import Schema

extension ChainExpression {
    /// The whole chain's output, as ``ChatMapping`` refers to it.
    static let chainOutput = ChainExpression.reference(SingularQuery(segments: [.name("output")]))

    /// The steps whose whole output this expression over a chain's `output` may come to, unchanged, in the order of
    /// preference.
    ///
    /// Each answers when all before it were skipped. The list ends before the first alternative that is anything else.
    func answeringSteps(ofOutput output: ChainExpression) -> [String] {
        var steps: [String] = []
        for alternative in self.alternatives {
            guard case .reference(let query) = alternative, query.segments.first == .name("output"),
                let target = output.member(at: query.segments.dropFirst())
            else { return steps }
            for alternative in target.alternatives {
                guard let step = alternative.wholeStep else { return steps }
                steps.append(step)
            }
        }
        return steps
    }

    /// What a `firstOf` chooses among, whatever it is nested in; any other expression alone.
    private var alternatives: [ChainExpression] {
        switch self {
        case .firstOf(let inner): inner.flatMap(\.alternatives)
        case .literal, .reference, .array, .object: [self]
        }
    }

    /// The step that a reference takes the whole output of.
    private var wholeStep: String? {
        guard case .reference(let query) = self, query.segments.count == 3 else { return nil }
        return query.step
    }

    /// The expression that stands at a place within objects; nil where no object's member says what is there.
    private func member(at path: ArraySlice<SingularQuery.Segment>) -> ChainExpression? {
        guard let segment = path.first else { return self }
        guard case .object(let members) = self, case .name(let name) = segment else { return nil }
        return members[name]?.member(at: path.dropFirst())
    }
}
