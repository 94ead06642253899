/// The members of an object, by key.
struct KeyedValues<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let members: [String: JSONValue]
    let place: CodingPlace
    var codingPath: [any CodingKey] { self.place.path }

    var allKeys: [Key] { self.members.keys.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { self.members[key.stringValue] != nil }

    private func member(_ key: any CodingKey) throws -> JSONValueDecoding {
        guard let value = self.members[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key,
                .init(codingPath: self.codingPath, debugDescription: "there is no '\(key.stringValue)'")
            )
        }
        return JSONValueDecoding(value: value, place: .key(key, in: self.place))
    }

    func decodeNil(forKey key: Key) throws -> Bool { try self.member(key).decodeNil() }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try self.member(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try self.member(key).decode(type) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try self.member(key).decode(type) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try self.member(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try self.member(key).decode(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try self.member(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try self.member(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try self.member(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try self.member(key).decode(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try self.member(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try self.member(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try self.member(key).decode(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try self.member(key).decode(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try self.member(key).decode(type) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try self.member(key).unwrap(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try self.member(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try self.member(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        JSONValueDecoding(value: .object(self.members), place: self.place)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try self.member(key) }
}

/// The elements of an array, one after the other.
struct UnkeyedValues: UnkeyedDecodingContainer {
    let elements: [JSONValue]
    let place: CodingPlace
    private(set) var currentIndex = 0
    var codingPath: [any CodingKey] { self.place.path }

    init(elements: [JSONValue], place: CodingPlace) {
        self.elements = elements
        self.place = place
    }

    private struct Index: CodingKey {
        var intValue: Int?
        var stringValue: String { "\(self.intValue ?? 0)" }

        init(intValue: Int) { self.intValue = intValue }
        init?(stringValue: String) { return nil }
    }

    var count: Int? { self.elements.count }
    var isAtEnd: Bool { self.currentIndex >= self.elements.count }

    private func current() throws -> JSONValueDecoding {
        let place = CodingPlace.key(Index(intValue: self.currentIndex), in: self.place)
        guard !self.isAtEnd else {
            throw DecodingError.valueNotFound(
                JSONValue.self,
                .init(codingPath: place.path, debugDescription: "there are only \(self.elements.count) elements")
            )
        }
        return JSONValueDecoding(value: self.elements[self.currentIndex], place: place)
    }

    private mutating func next<Value>(_ read: (JSONValueDecoding) throws -> Value) throws -> Value {
        let value = try read(self.current())
        self.currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard try self.current().decodeNil() else { return false }
        self.currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: String.Type) throws -> String { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try self.next { try $0.decode(type) } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try self.next { try $0.decode(type) } }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try self.next { try $0.unwrap(type) } }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try self.next { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try self.next { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try self.next { $0 } }
}
