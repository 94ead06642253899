package import Planning

extension Tensor {
    /// The numbers of a tensor; nil where its datatype is another, or its bytes are no whole number of them.
    package func elements<Element: TensorElement>(as type: Element.Type = Element.self) -> [Element]? {
        let width = MemoryLayout<Element>.stride
        guard self.datatype == Element.datatype, self.bytes.count.isMultiple(of: width) else { return nil }
        return self.bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: width).map { bytes.loadUnaligned(fromByteOffset: $0, as: type) }
        }
    }
}
