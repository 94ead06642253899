/// Decodes any `Decodable` type straight from a ``JSONValue``, without a detour over bytes.
package struct JSONValueDecoder {
    package init() {}

    package func decode<Value: Decodable>(_ type: Value.Type, from value: JSONValue) throws -> Value {
        try JSONValueDecoding(value: value, place: .root).unwrap(type)
    }
}

/// The way to a value, which becomes a list only where somebody asks for it: an error says where it is.
indirect enum CodingPlace {
    case root
    case key(any CodingKey, in: CodingPlace)

    var path: [any CodingKey] {
        switch self {
        case .root: []
        case .key(let key, let place): place.path + [key]
        }
    }
}

/// One value on the way, with the path that led to it.
struct JSONValueDecoding: Decoder {
    let value: JSONValue
    let place: CodingPlace
    var codingPath: [any CodingKey] { self.place.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = self.value else { throw self.mismatch([String: JSONValue].self) }
        return KeyedDecodingContainer(KeyedValues(members: members, place: self.place))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = self.value else { throw self.mismatch([JSONValue].self) }
        return UnkeyedValues(elements: elements, place: self.place)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        self
    }

    /// Decodes the value as any type; a ``JSONValue`` is taken as it is.
    func unwrap<Value: Decodable>(_ type: Value.Type) throws -> Value {
        // Comparing types is much cheaper than a cast that fails.
        if Value.self == JSONValue.self || Value.self == JSONValue?.self, let value = self.value as? Value {
            return value
        }
        return try Value(from: self)
    }

    func mismatch(_ type: Any.Type) -> DecodingError {
        .typeMismatch(type, .init(codingPath: self.codingPath, debugDescription: "found \(self.value)"))
    }

    func integer<Value: BinaryInteger>(_ type: Value.Type) throws -> Value {
        switch self.value {
        case .integer(let integer):
            guard let value = Value(exactly: integer) else { throw self.mismatch(type) }
            return value
        case .number(let number):
            guard let value = Value(exactly: number) else { throw self.mismatch(type) }
            return value
        case .null, .bool, .string, .array, .object: throw self.mismatch(type)
        }
    }

    func double() throws -> Double {
        switch self.value {
        case .integer(let integer): return Double(integer)
        case .number(let number): return number
        case .null, .bool, .string, .array, .object: throw self.mismatch(Double.self)
        }
    }
}

extension JSONValueDecoding: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        guard case .null = self.value else { return false }
        return true
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let value) = self.value else { throw self.mismatch(type) }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let value) = self.value else { throw self.mismatch(type) }
        return value
    }

    func decode(_ type: Double.Type) throws -> Double { try self.double() }
    func decode(_ type: Float.Type) throws -> Float { Float(try self.double()) }
    func decode(_ type: Int.Type) throws -> Int { try self.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try self.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try self.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try self.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try self.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try self.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try self.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try self.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try self.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try self.integer(type) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try self.unwrap(type) }
}
