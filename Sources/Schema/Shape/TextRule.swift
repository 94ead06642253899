/// What a text of a manifest may be.
package struct TextRule: Sendable, Hashable {
    /// In characters, as code points.
    package var length: ClosedRange<Int>
    package var format: TextFormat?

    /// A document cannot hold more anyway.
    package static let longest = 1 << 20

    package init(length: ClosedRange<Int> = 0...TextRule.longest, format: TextFormat? = nil) {
        self.length = length
        self.format = format
    }

    /// Whether a text is long enough, short enough and of the right format.
    package func accepts(_ text: String) -> Bool {
        self.problem(in: text) == nil
    }

    /// What a text must be and is not, as the end of "must be …", or nil when it is right.
    package func problem(in text: String) -> String? {
        if self.length.lowerBound > 0 || self.length.upperBound < text.utf8.count {
            let count = text.unicodeScalars.count
            if count < self.length.lowerBound {
                return self.length.lowerBound == 1
                    ? "a text that is not empty" : "a text of at least \(self.length.lowerBound) characters"
            }
            if count > self.length.upperBound { return "a text of at most \(self.length.upperBound) characters" }
        }
        guard let format = self.format, !format.accepts(text) else { return nil }
        return format.expectation
    }
}
