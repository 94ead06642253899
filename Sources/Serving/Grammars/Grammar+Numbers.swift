extension Grammar {
    /// The largest number of digits that integers are written with.
    private static let mostDigits = 16
    private static let largest: Int64 = 9_999_999_999_999_999

    /// The whole numbers from one to another, both included; nil: as small, or as large, as can be.
    static func integers(from low: Int64?, to high: Int64?) -> Expression {
        let low = max(low ?? -Self.largest, -Self.largest)
        let high = min(high ?? Self.largest, Self.largest)
        guard low <= high else { return .nothing }
        var parts: [Expression] = []
        if high >= 0 { parts.append(self.naturals(from: max(low, 0), to: high)) }
        if low < 0 { parts.append(.all(.text("-"), self.naturals(from: max(-high, 1), to: -low))) }
        return .any(parts)
    }

    /// The numbers between two bounds, with up to 6 decimals. A bound must be whole, and at most a thousand million away
    /// from 0; nil otherwise.
    ///
    /// - Parameters:
    ///   - isLowIncluded: whether the lower bound itself belongs to them.
    ///   - isHighIncluded: whether the upper one does.
    static func numbers(
        from low: Double?,
        isLowIncluded: Bool,
        to high: Double?,
        isHighIncluded: Bool
    ) -> Expression? {
        for bound in [low, high].compactMap(\.self) where bound.rounded() != bound || abs(bound) > 1e9 { return nil }
        let (low, high) = (low.map { Int64($0) }, high.map { Int64($0) })
        let whole = self.integers(
            from: low.map { isLowIncluded ? $0 : $0 + 1 },
            to: high.map { isHighIncluded ? $0 : $0 - 1 }
        )
        // The last decimal is not 0, so that the number lies strictly between two whole ones.
        let fraction = Expression.all(
            .text("."),
            .repeated(.set("0"..."9"), from: 0, to: 5),
            .set("1"..."9")
        )
        let above = self.integers(from: low.map { max($0, 0) } ?? 0, to: high.map { $0 - 1 })
        let below =
            (low ?? -1) >= 0
            ? .nothing : self.naturals(from: max(0, -(high ?? 0)), to: low.map { -$0 - 1 } ?? 999_999_999)
        return .any([
            .all(whole, .optional(.text(".0"))),
            (high ?? 1) > 0 ? .all(above, fraction) : .nothing,
            .all(.text("-"), below, fraction),
        ])
    }

    /// The whole numbers from one to another; neither is negative.
    private static func naturals(from low: Int64, to high: Int64) -> Expression {
        guard low <= high else { return .nothing }
        var parts: [Expression] = []
        var first = low
        while first <= high {
            let digits = String(first)
            let last = min(high, Int64(String(repeating: "9", count: digits.count)) ?? high)
            parts.append(self.digits(from: Array(digits.utf8)[...], to: Array(String(last).utf8)[...]))
            first = last + 1
        }
        return .any(parts)
    }

    /// The numbers from one to another of as many digits.
    private static func digits(from low: ArraySlice<UInt8>, to high: ArraySlice<UInt8>) -> Expression {
        guard let lowest = low.first, let highest = high.first else { return .text("") }
        let (lowRest, highRest) = (low.dropFirst(), high.dropFirst())
        let count = lowRest.count
        if lowest == highest { return self.join(self.digit(lowest, lowest), self.digits(from: lowRest, to: highRest)) }
        let (zero, nine) = (UInt8(ascii: "0"), UInt8(ascii: "9"))
        var (from, to) = (lowest, highest)
        var parts: [Expression] = []
        if lowRest.contains(where: { $0 != zero }) {
            let nines = [UInt8](repeating: nine, count: count)[...]
            parts.append(self.join(self.digit(lowest, lowest), self.digits(from: lowRest, to: nines)))
            from += 1
        }
        if highRest.contains(where: { $0 != nine }) {
            let zeros = [UInt8](repeating: zero, count: count)[...]
            parts.append(self.join(self.digit(highest, highest), self.digits(from: zeros, to: highRest)))
            to -= 1
        }
        if from <= to {
            parts.append(self.join(self.digit(from, to), .repeated(.set("0"..."9"), from: count, to: count)))
        }
        return .any(parts)
    }

    private static func digit(_ low: UInt8, _ high: UInt8) -> Expression {
        low == high ? .text(String(Unicode.Scalar(low))) : .set(Unicode.Scalar(low)...Unicode.Scalar(high))
    }

    /// Two parts, without those that add nothing.
    private static func join(_ first: Expression, _ second: Expression) -> Expression {
        switch second {
        case .text(""), .repeated(_, from: 0, to: 0): first
        case .text, .character, .rule, .sequence, .choice, .repeated: .all(first, second)
        }
    }
}
