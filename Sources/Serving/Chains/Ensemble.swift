internal import Schema

extension ChainSpec.Ensemble.Combination {
    /// Makes one output out of those that there are, in the order of their steps. Throws `failed`.
    ///
    /// - Parameter place: the step, for people.
    func combine(_ outputs: [JSONValue], of place: String) throws(CallError) -> JSONValue {
        guard let first = outputs.first else {
            throw CallError(.failed, "\(place) has nothing to combine: all of its steps were left out")
        }
        switch self {
        case .first: return first
        case .list: return .array(outputs)
        case .majority: return Self.majority(of: outputs)
        case .mean:
            guard let mean = Self.mean(of: outputs) else {
                throw CallError(
                    .failed,
                    "\(place) takes the mean, for which its steps must give numbers, or lists or objects of numbers of "
                        + "one shape"
                )
            }
            return mean
        }
    }

    /// The one that most are the same as; of several, the one that comes first.
    private static func majority(of outputs: [JSONValue]) -> JSONValue {
        var votes: [(output: JSONValue, count: Int)] = []
        for output in outputs {
            if let index = votes.firstIndex(where: { $0.output.isSame(as: output) }) {
                votes[index].count += 1
            } else {
                votes.append((output, 1))
            }
        }
        let most = votes.map(\.count).max()
        return votes.first { $0.count == most }?.output ?? .null
    }

    private static func mean(of outputs: [JSONValue]) -> JSONValue? {
        let numbers = outputs.compactMap(\.double)
        if numbers.count == outputs.count {
            let mean = numbers.reduce(0, +) / Double(numbers.count)
            return mean.isFinite ? .number(mean) : nil
        }
        let lists = outputs.compactMap(\.array)
        if lists.count == outputs.count {
            let length = lists[0].count
            guard lists.allSatisfy({ $0.count == length }) else { return nil }
            let means = (0..<length).compactMap { index in self.mean(of: lists.map { $0[index] }) }
            return means.count == length ? .array(means) : nil
        }
        let objects = outputs.compactMap(\.object)
        guard objects.count == outputs.count, objects.allSatisfy({ $0.keys == objects[0].keys }) else { return nil }
        let means = objects[0].keys.compactMap { name in
            self.mean(of: objects.compactMap { $0[name] }).map { (name, $0) }
        }
        return means.count == objects[0].count ? .object(Dictionary(means) { first, _ in first }) : nil
    }
}
