// Elements as Swift values.
extension Tensor {
    /// A tensor of numbers, row by row.
    package init<Element: TensorElement>(name: String, shape: [Int], elements: [Element]) {
        let bytes = elements.withUnsafeBytes { [UInt8]($0) }
        self.init(name: name, datatype: Element.datatype, shape: shape, bytes: bytes)
    }

    /// A tensor of texts, row by row.
    package init(name: String, shape: [Int], texts: [String]) {
        var bytes: [UInt8] = []
        for text in texts {
            withUnsafeBytes(of: UInt32(text.utf8.count)) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: text.utf8)
        }
        self.init(name: name, datatype: .bytes, shape: shape, bytes: bytes)
    }

    /// The elements of a `BYTES` tensor, each a slice of ``bytes``; nil where the datatype is another, or where they are
    /// not as many as the shape says.
    package var texts: [ArraySlice<UInt8>]? {
        guard self.datatype == .bytes, let count = Tensor.count(of: self.shape) else { return nil }
        var texts: [ArraySlice<UInt8>] = []
        guard self.forEachText(count: count, { texts.append(self.bytes[$0]) }) == nil else { return nil }
        return texts
    }

    /// What is wrong with the elements of a `BYTES` tensor.
    func textProblem(count: Int) -> String? {
        self.forEachText(count: count) { _ in }
    }

    /// Gives the place of every text to `body`; returns what is wrong where it stops early.
    private func forEachText(count: Int, _ body: (Range<Int>) -> Void) -> String? {
        let header = MemoryLayout<UInt32>.size
        // Each has four bytes at least, so that no count, however large, makes this long.
        guard count <= self.bytes.count / header else {
            return "has \(self.bytes.count) bytes, fewer than the lengths of \(count) texts need"
        }
        var position = 0
        for index in 0..<count {
            guard self.bytes.count - position >= header else { return "ends within the length of text \(index)" }
            let length = self.bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt32.self) }
            position += header
            guard self.bytes.count - position >= length else { return "ends within text \(index)" }
            body(position..<position + Int(length))
            position += Int(length)
        }
        let left = self.bytes.count - position
        return left == 0 ? nil : "has \(left) bytes behind its last text"
    }
}
