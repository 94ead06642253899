/// A small ONNX model, spelt out field by field as a protocol buffer: it multiplies each number that it takes.
enum SmallModel {
    /// The file of a model that takes `x` of any shape of two sizes, and gives `y`, `factor` times as much.
    static func multiplying(by factor: Float) -> [UInt8] {
        let constant =
            self.number(2, 1) + self.text(8, "factor")
            + self.message(9, withUnsafeBytes(of: factor.bitPattern.littleEndian) { Array($0) })
        let node = self.text(1, "x") + self.text(1, "factor") + self.text(2, "y") + self.text(4, "Mul")
        let graph =
            self.message(1, node) + self.text(2, "small") + self.message(5, constant)
            + self.message(11, self.tensor("x")) + self.message(12, self.tensor("y"))
        return self.number(1, 8) + self.message(8, self.number(2, 13)) + self.message(7, graph)
    }

    /// FP32 of two sizes that are open.
    private static func tensor(_ name: String) -> [UInt8] {
        let shape = self.message(1, []) + self.message(1, [])
        return self.text(1, name) + self.message(2, self.message(1, self.number(1, 1) + self.message(2, shape)))
    }

    private static func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + self.varint(value >> 7)
    }

    private static func number(_ field: Int, _ value: Int) -> [UInt8] { self.varint(field << 3) + self.varint(value) }

    private static func message(_ field: Int, _ content: [UInt8]) -> [UInt8] {
        self.varint(field << 3 | 2) + self.varint(content.count) + content
    }

    private static func text(_ field: Int, _ text: String) -> [UInt8] { self.message(field, Array(text.utf8)) }
}
