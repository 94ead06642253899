internal import Planning
internal import Schema

// Tensors as values of chains: numbers, texts and nested lists of them.
extension Tensor {
    /// Makes a tensor of a value; how its lists are nested is the shape. A lone number fits a model's one-element shape.
    ///
    /// Throws `TensorInvalid` where lists are not as long as their neighbours, and for elements of another type.
    init(_ value: JSONValue, as description: TensorDescription) throws(MartletError) {
        var shape: [Int] = []
        var level = value
        while case .array(let elements) = level {
            shape.append(elements.count)
            guard let first = elements.first else { break }
            level = first
        }
        var elements: [JSONValue] = []
        guard value.flatten(to: shape[...], into: &elements) else {
            throw .tensorValue(description.name, "is a list whose lists are not all of one length")
        }
        var bytes: [UInt8] = []
        for (index, element) in elements.enumerated() {
            guard description.datatype.append(element, to: &bytes) else {
                throw .tensorValue(
                    description.name,
                    "has \(element.canonicalJSON.shortened) as element \(index), which is no "
                        + description.datatype.rawValue
                )
            }
        }
        if shape.isEmpty, let own = description.shape, !own.isEmpty, own.allSatisfy({ abs($0) == 1 }) {
            shape = own.map { _ in 1 }
        }
        self.init(name: description.name, datatype: description.datatype, shape: shape, bytes: bytes)
    }

    /// The elements, nested as the shape says. What is no number in JSON, such as a NaN, is null.
    var json: JSONValue {
        var elements: ArraySlice<JSONValue> = []
        if let texts = self.texts {
            elements = texts.map { .string(String(decoding: $0, as: UTF8.self)) }[...]
        } else if let width = self.datatype.width {
            let values = self.bytes.withUnsafeBytes { bytes in
                stride(from: 0, to: bytes.count - bytes.count % width, by: width).map {
                    self.datatype.element(of: bytes, at: $0)
                }
            }
            elements = values[...]
        }
        return Tensor.nest(&elements, shape: self.shape[...])
    }

    private static func nest(_ elements: inout ArraySlice<JSONValue>, shape: ArraySlice<Int>) -> JSONValue {
        guard let size = shape.first else { return elements.popFirst() ?? .null }
        return .array((0..<size).map { _ in self.nest(&elements, shape: shape.dropFirst()) })
    }
}

extension JSONValue {
    /// Appends the elements of nested lists of that shape; false where they are of another.
    fileprivate func flatten(to shape: ArraySlice<Int>, into elements: inout [JSONValue]) -> Bool {
        guard let size = shape.first else {
            if case .array = self { return false }
            elements.append(self)
            return true
        }
        guard case .array(let inner) = self, inner.count == size else { return false }
        return inner.allSatisfy { $0.flatten(to: shape.dropFirst(), into: &elements) }
    }

    fileprivate var wholeNumber: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        case .null, .bool, .string, .array, .object: nil
        }
    }
}

extension TensorDatatype {
    /// Appends an element in the machine's byte order; false where it is none of this datatype.
    fileprivate func append(_ element: JSONValue, to bytes: inout [UInt8]) -> Bool {
        func add(_ value: (some BitwiseCopyable)?) -> Bool {
            guard let value else { return false }
            withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
            return true
        }
        switch self {
        case .bool:
            guard case .bool(let value) = element else { return false }
            return add(value ? 1 as UInt8 : 0)
        case .uint8: return add(element.wholeNumber.flatMap { UInt8(exactly: $0) })
        case .uint16: return add(element.wholeNumber.flatMap { UInt16(exactly: $0) })
        case .uint32: return add(element.wholeNumber.flatMap { UInt32(exactly: $0) })
        case .uint64: return add(element.wholeNumber.flatMap { UInt64(exactly: $0) })
        case .int8: return add(element.wholeNumber.flatMap { Int8(exactly: $0) })
        case .int16: return add(element.wholeNumber.flatMap { Int16(exactly: $0) })
        case .int32: return add(element.wholeNumber.flatMap { Int32(exactly: $0) })
        case .int64: return add(element.wholeNumber)
        case .fp16: return add(element.double.map { Float16($0) })
        case .bf16: return add(element.double.map { UInt16(Float($0).bitPattern >> 16) })
        case .fp32: return add(element.double.map { Float($0) })
        case .fp64: return add(element.double)
        case .bytes:
            guard case .string(let text) = element, let length = UInt32(exactly: text.utf8.count) else { return false }
            _ = add(length)
            bytes.append(contentsOf: text.utf8)
            return true
        }
    }

    /// The element at a place; null for one that JSON has no number for.
    fileprivate func element(of bytes: UnsafeRawBufferPointer, at place: Int) -> JSONValue {
        func load<Value: BitwiseCopyable>(_ type: Value.Type) -> Value {
            bytes.loadUnaligned(fromByteOffset: place, as: type)
        }
        func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .null }
        switch self {
        case .bool: return .bool(load(UInt8.self) != 0)
        case .uint8: return .integer(Int64(load(UInt8.self)))
        case .uint16: return .integer(Int64(load(UInt16.self)))
        case .uint32: return .integer(Int64(load(UInt32.self)))
        case .uint64:
            let value = load(UInt64.self)
            return Int64(exactly: value).map { .integer($0) } ?? .number(Double(value))
        case .int8: return .integer(Int64(load(Int8.self)))
        case .int16: return .integer(Int64(load(Int16.self)))
        case .int32: return .integer(Int64(load(Int32.self)))
        case .int64: return .integer(load(Int64.self))
        case .fp16: return number(Double(load(Float16.self)))
        case .bf16: return number(Double(Float(bitPattern: UInt32(load(UInt16.self)) << 16)))
        case .fp32: return number(Double(load(Float.self)))
        case .fp64: return number(load(Double.self))
        case .bytes: return .null
        }
    }
}

extension MartletError {
    fileprivate static func tensorValue(_ name: String, _ problem: String) -> MartletError {
        MartletError("TensorInvalid", "input '\(name)' \(problem)")
    }
}
