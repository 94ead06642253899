internal import Planning
internal import Schema

/// Tensors whose elements stand in JSON, from servers that do not know the binary extension.
enum TensorNumbers {
    /// The elements' bytes, row by row, of a flat or nested list; nil where one is not of the datatype.
    static func bytes(_ data: JSONValue, _ datatype: TensorDatatype) -> [UInt8]? {
        var bytes: [UInt8] = []
        return self.append(data, datatype, to: &bytes) ? bytes : nil
    }

    private static func append(_ value: JSONValue, _ datatype: TensorDatatype, to bytes: inout [UInt8]) -> Bool {
        switch value {
        case .array(let elements):
            return elements.allSatisfy { self.append($0, datatype, to: &bytes) }
        case .bool(let flag):
            guard datatype == .bool else { return false }
            bytes.append(flag ? 1 : 0)
        case .integer(let number):
            return self.append(number, datatype, to: &bytes)
        case .number(let number):
            return self.append(number, datatype, to: &bytes)
        case .string(let text):
            guard datatype == .bytes else { return false }
            self.append(raw: UInt32(text.utf8.count), to: &bytes)
            bytes += text.utf8
        case .null, .object:
            return false
        }
        return true
    }

    private static func append(_ number: Int64, _ datatype: TensorDatatype, to bytes: inout [UInt8]) -> Bool {
        func exactly<Element: TensorElement & FixedWidthInteger>(_ type: Element.Type) -> Bool {
            guard let element = Element(exactly: number) else { return false }
            self.append(raw: element, to: &bytes)
            return true
        }
        return switch datatype {
        case .bool: (0...1).contains(number) && exactly(UInt8.self)
        case .uint8: exactly(UInt8.self)
        case .uint16: exactly(UInt16.self)
        case .uint32: exactly(UInt32.self)
        case .uint64: exactly(UInt64.self)
        case .int8: exactly(Int8.self)
        case .int16: exactly(Int16.self)
        case .int32: exactly(Int32.self)
        case .int64: exactly(Int64.self)
        case .fp16, .bf16, .fp32, .fp64: self.append(Double(number), datatype, to: &bytes)
        case .bytes: false
        }
    }

    private static func append(_ number: Double, _ datatype: TensorDatatype, to bytes: inout [UInt8]) -> Bool {
        switch datatype {
        case .fp16: self.append(raw: Float16(number), to: &bytes)
        case .bf16: self.append(raw: UInt16(Float(number).bitPattern >> 16), to: &bytes)
        case .fp32: self.append(raw: Float(number), to: &bytes)
        case .fp64: self.append(raw: number, to: &bytes)
        case .uint64:
            // Beyond what a signed number holds, JSON's numbers come as doubles.
            guard let element = UInt64(exactly: number) else { return false }
            self.append(raw: element, to: &bytes)
        case .bool, .uint8, .uint16, .uint32, .int8, .int16, .int32, .int64, .bytes: return false
        }
        return true
    }

    private static func append(raw element: some BitwiseCopyable, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: element) { bytes.append(contentsOf: $0) }
    }
}
