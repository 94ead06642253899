internal import Schema

/// How large and how deep a step's output may be: what is shared in memory may be without end once it is written out.
enum OutputLimit {
    /// Of its JSON, about.
    static let bytes = 16 << 20
    static let depth = 128

    /// Throws `failed` for an output that is larger or deeper.
    static func check(_ output: JSONValue, of step: ChainPlan.Step) throws(CallError) {
        var left = self.bytes
        guard self.fits(output, depth: self.depth, left: &left) else {
            throw CallError(
                .failed,
                "the output of step '\(step.path)' has more than \(self.bytes >> 20) MiB, or more than \(self.depth) levels"
            )
        }
    }

    private static func fits(_ value: JSONValue, depth: Int, left: inout Int) -> Bool {
        left -= 8
        guard depth > 0, left > 0 else { return false }
        switch value {
        case .null, .bool, .integer, .number: return true
        case .string(let text):
            left -= text.utf8.count
            return left > 0
        case .array(let elements): return elements.allSatisfy { self.fits($0, depth: depth - 1, left: &left) }
        case .object(let members):
            return members.allSatisfy { name, member in
                left -= name.utf8.count
                return self.fits(member, depth: depth - 1, left: &left)
            }
        }
    }
}
