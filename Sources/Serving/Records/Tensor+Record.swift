internal import Foundation
package import Planning
package import Schema

extension Tensor {
    /// So many elements are written down one by one.
    private static let elementLimit = 1024
    /// So many bytes are written down at all.
    private static let byteLimit = 1 << 20

    /// The tensor as records have it: its elements under `data`, row by row; where these are more than 1,024 or no JSON
    /// says them, its bytes under `base64`; of more than 1 MiB, only how many there are, under `omittedBytes`.
    package var recorded: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(self.name), "datatype": .string(self.datatype.rawValue),
            "shape": .array(self.shape.map { .integer(Int64($0)) }),
        ]
        if self.bytes.count > Tensor.byteLimit {
            members["omittedBytes"] = .integer(Int64(self.bytes.count))
        } else if let elements = self.recordedElements {
            members["data"] = .array(elements)
        } else {
            members["base64"] = .string(Data(self.bytes).base64EncodedString())
        }
        return .object(members)
    }

    /// Nil where there are too many of them, or where one has no exact spelling.
    private var recordedElements: [JSONValue]? {
        guard let count = Tensor.count(of: self.shape), count <= Tensor.elementLimit else { return nil }
        switch self.datatype {
        case .bool: return self.bytes.map { .bool($0 != 0) }
        case .uint8: return self.integers(UInt8.self)
        case .uint16: return self.integers(UInt16.self)
        case .uint32: return self.integers(UInt32.self)
        case .uint64: return self.integers(UInt64.self)
        case .int8: return self.integers(Int8.self)
        case .int16: return self.integers(Int16.self)
        case .int32: return self.integers(Int32.self)
        case .int64: return self.integers(Int64.self)
        case .fp16: return self.numbers(Float16.self)
        case .fp32: return self.numbers(Float.self)
        case .fp64: return self.numbers(Double.self)
        case .bf16: return nil
        case .bytes:
            guard let texts = self.texts?.map({ String(validating: $0, as: UTF8.self) }) else { return nil }
            return texts.contains(nil) ? nil : texts.compactMap { $0.map { .string($0) } }
        }
    }

    private func integers<Element: TensorElement & FixedWidthInteger>(_ type: Element.Type) -> [JSONValue]? {
        guard let elements = self.read(type) else { return nil }
        let integers = elements.compactMap { Int64(exactly: $0) }
        return integers.count == elements.count ? integers.map { .integer($0) } : nil
    }

    private func numbers<Element: TensorElement & BinaryFloatingPoint>(_ type: Element.Type) -> [JSONValue]? {
        guard let elements = self.read(type), elements.allSatisfy(\.isFinite) else { return nil }
        return elements.map { .number(Double($0)) }
    }

    /// Nil where the bytes are no whole number of elements.
    private func read<Element: TensorElement>(_ type: Element.Type) -> [Element]? {
        let width = MemoryLayout<Element>.stride
        guard self.bytes.count.isMultiple(of: width) else { return nil }
        return self.bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: width).map { bytes.loadUnaligned(fromByteOffset: $0, as: type) }
        }
    }
}
