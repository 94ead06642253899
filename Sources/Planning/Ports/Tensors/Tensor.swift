/// Numbers, or texts, with a shape and a name: what models of tensors take and give.
///
/// It is passed around without copying: what it holds is shared until somebody changes it.
package struct Tensor: Sendable, Hashable {
    package var name: String
    package var datatype: TensorDatatype
    /// Its sizes, the slowest first; none for a single number.
    package var shape: [Int]
    /// The elements row by row, without gaps, in the machine's byte order. Of a `BYTES` tensor, each is its length in
    /// bytes as a 4-byte integer, and then its bytes.
    package var bytes: [UInt8]

    /// Nothing is checked here: what ``problem`` finds is for whoever takes the tensor to refuse.
    package init(name: String, datatype: TensorDatatype, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.bytes = bytes
    }

    /// The number of elements that a shape has; nil for a negative size, and for more than can be counted.
    package static func count(of shape: [Int]) -> Int? {
        guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
        // However large the other sizes are, no element is left.
        if shape.contains(0) { return 0 }
        var count = 1
        for size in shape {
            let (product, overflows) = count.multipliedReportingOverflow(by: size)
            guard !overflows else { return nil }
            count = product
        }
        return count
    }

    /// What is wrong with the tensor in itself, to be read behind its name: its bytes do not fit its shape, say.
    package var problem: String? {
        guard let count = Tensor.count(of: self.shape) else {
            let isNegative = self.shape.contains { $0 < 0 }
            return "has the shape \(self.shape), \(isNegative ? "where a size is negative" : "which is too large")"
        }
        guard let width = self.datatype.width else { return self.textProblem(count: count) }
        let (length, overflows) = count.multipliedReportingOverflow(by: width)
        guard !overflows, length == self.bytes.count else {
            let needed = overflows ? "more than there can be" : "\(length)"
            let kind = "\(self.shape) of \(self.datatype.rawValue)"
            return "has \(self.bytes.count) bytes where its shape \(kind) needs \(needed)"
        }
        guard self.datatype == .bool, let index = self.bytes.firstIndex(where: { $0 > 1 }) else { return nil }
        return "has the byte \(self.bytes[index]) as element \(index), and a BOOL is 0 or 1"
    }
}
