internal import Planning
internal import Schema

/// Reads the elements of one tensor from JSON text, straight into the tensor's bytes.
///
/// They stand in one flat list, or in lists of lists just as the shape says. Numbers are read exactly: an integer that
/// its datatype does not hold is an error, a decimal number becomes the nearest one.
struct TensorText {
    /// The tensor's data as messages name it: `inputs[0].data`.
    let field: String
    let datatype: TensorDatatype
    let shape: [Int]
    /// How many elements the shape has.
    let count: Int
    var position: Int
    /// The elements so far.
    var bytes: [UInt8] = []
    /// How many these are.
    var read = 0

    /// The bytes of a tensor whose elements stand at `range` of a JSON text: an array whose brackets are in order.
    ///
    /// - Parameter count: how many elements the shape has.
    static func bytes(
        _ text: Span<UInt8>,
        at range: Range<Int>,
        field: String,
        datatype: TensorDatatype,
        shape: [Int],
        count: Int
    ) throws -> [UInt8] {
        var reader = TensorText(
            field: field,
            datatype: datatype,
            shape: shape,
            count: count,
            position: range.lowerBound
        )
        // Whatever the shape promises, an element takes two bytes of text at least.
        reader.bytes.reserveCapacity(min(count, range.count / 2) * (datatype.width ?? 8))
        let text = text.extracting(0..<range.upperBound)
        if shape.count > 1, reader.beginsNested(text) {
            try reader.readNested(text, level: 0)
        } else {
            try reader.readRow(text, count: count)
        }
        return reader.bytes
    }

    // MARK: Lists

    /// Whether the list that begins here begins with another list.
    private func beginsNested(_ text: Span<UInt8>) -> Bool {
        var ahead = self
        ahead.position += 1
        ahead.skipSpace(text)
        return ahead.isNext(UInt8(ascii: "["), text)
    }

    private mutating func readNested(_ text: Span<UInt8>, level: Int) throws {
        guard level < self.shape.count - 1 else { return try self.readRow(text, count: self.shape[level]) }
        try self.readList(text, count: self.shape[level]) { reader, text in
            guard reader.isNext(UInt8(ascii: "["), text) else { throw reader.unlikeShape }
            try reader.readNested(text, level: level + 1)
        }
    }

    private mutating func readRow(_ text: Span<UInt8>, count: Int) throws {
        switch self.datatype {
        case .bool: try self.readList(text, count: count) { try $0.readBoolean($1) }
        case .uint8: try self.readList(text, count: count) { try $0.readInteger($1, as: UInt8.self) }
        case .uint16: try self.readList(text, count: count) { try $0.readInteger($1, as: UInt16.self) }
        case .uint32: try self.readList(text, count: count) { try $0.readInteger($1, as: UInt32.self) }
        case .uint64: try self.readList(text, count: count) { try $0.readInteger($1, as: UInt64.self) }
        case .int8: try self.readList(text, count: count) { try $0.readInteger($1, as: Int8.self) }
        case .int16: try self.readList(text, count: count) { try $0.readInteger($1, as: Int16.self) }
        case .int32: try self.readList(text, count: count) { try $0.readInteger($1, as: Int32.self) }
        case .int64: try self.readList(text, count: count) { try $0.readInteger($1, as: Int64.self) }
        case .fp32: try self.readList(text, count: count) { try $0.readFloat($1) }
        case .fp64: try self.readList(text, count: count) { try $0.readDouble($1) }
        case .bytes: try self.readList(text, count: count) { try $0.readText($1) }
        case .fp16, .bf16:
            throw self.invalid("cannot be JSON, which has no \(self.datatype.rawValue); send it as binary data")
        }
    }

    private mutating func readList(
        _ text: Span<UInt8>,
        count: Int,
        _ element: (inout TensorText, Span<UInt8>) throws -> Void
    ) throws {
        self.position += 1
        self.skipSpace(text)
        var found = 0
        if !self.isNext(UInt8(ascii: "]"), text) {
            repeat {
                guard found < count else { throw self.unlikeShape }
                self.skipSpace(text)
                try element(&self, text)
                found += 1
                self.skipSpace(text)
            } while self.skip(UInt8(ascii: ","), text)
        }
        guard self.skip(UInt8(ascii: "]"), text) else {
            throw self.invalid("has something else than ',' or ']' after element \(self.read - 1)")
        }
        guard found == count else { throw self.unlikeShape }
    }

    // MARK: Bytes

    func isNext(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        self.position < text.count && text[self.position] == byte
    }

    mutating func skip(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        guard self.isNext(byte, text) else { return false }
        self.position += 1
        return true
    }

    mutating func skipSpace(_ text: Span<UInt8>) {
        while self.position < text.count {
            switch text[self.position] {
            case 0x20, 0x09, 0x0A, 0x0D: self.position += 1
            default: return
            }
        }
    }

    mutating func append(_ element: some BitwiseCopyable) {
        withUnsafeBytes(of: element) { self.bytes.append(contentsOf: $0) }
        self.read += 1
    }

    // MARK: Errors

    private var unlikeShape: OpenAIError {
        let nested = self.shape.count > 1 ? " in one list, or in lists of lists like its shape" : ""
        return self.invalid("must have the \(self.count) elements of its shape \(self.shape)\(nested)")
    }

    /// Says that the next element is not what it must be.
    func wrongElement(_ text: Span<UInt8>, from start: Int, _ expected: String) -> OpenAIError {
        var end = start
        let ends: Set<UInt8> = [UInt8(ascii: ","), UInt8(ascii: "]"), 0x20, 0x09, 0x0A, 0x0D]
        while end < text.count, end - start < 40, !ends.contains(text[end]) { end += 1 }
        let found = text.extracting(start..<end).text
        return self.invalid("must have \(expected) as element \(self.read), not \(found.isEmpty ? "nothing" : found)")
    }

    func invalid(_ problem: String) -> OpenAIError {
        .invalid("'\(self.field)' \(problem).", parameter: self.field)
    }
}

extension Span<UInt8> {
    /// The text that the bytes are.
    var text: String {
        self.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}
