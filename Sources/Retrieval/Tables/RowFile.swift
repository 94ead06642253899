internal import Planning
internal import Schema

/// `rows.bin`: rows that are found by their keys in one step, however many there are.
///
/// First the rows: two 32-bit lengths, of the key and of the values; the row's time in milliseconds, or the least
/// number; the key and the values as JSON. Then a hash table of their offsets, each plus one, where 0 is an empty slot:
/// a key is in the first slot from its hash on that has it, before an empty one. Last the number of slots, of rows, and
/// a mark. All numbers are little-endian.
struct RowFile: Sendable {
    static let fileName = "rows.bin"
    private static let mark: UInt64 = 0x31_53_57_4F_52_54_4D_4C
    private static let headLength = 16
    private static let tailLength = 24

    private let file: MappedFile
    private let path: String
    private let slots: Int
    private let table: Int

    /// Throws `IndexUnreadable`.
    init(_ path: String) throws(MartletError) {
        let file = try MappedFile(path)
        let tail = file.count - Self.tailLength
        guard tail >= 0 else { throw MartletError.unreadableIndex(path, "it is too short") }
        let (slots, mark) = file.withBytes { bytes in
            (bytes.number(at: tail), bytes.number(at: tail + 16))
        }
        guard mark == Self.mark, let count = Int(exactly: slots), count > 0, count & (count - 1) == 0,
            count <= tail / 8
        else { throw MartletError.unreadableIndex(path, "it is no table of rows") }
        (self.file, self.path, self.slots, self.table) = (file, path, count, tail - count * 8)
    }

    /// The values of a key, and the row's time; nil where there is none. Throws `IndexUnreadable`.
    func row(_ key: String) throws(MartletError) -> (values: [String: JSONValue], time: Timestamp?)? {
        let key = Array(key.utf8)
        let found = self.file.withBytes { self.find(key, in: $0) }
        guard let found else { return nil }
        guard let values = (try? JSONValue(parsing: found.values))?.object else {
            throw MartletError.unreadableIndex(self.path, "a row is no JSON object")
        }
        return (values, found.time == Int64.min ? nil : Timestamp(milliseconds: found.time))
    }

    private func find(_ key: [UInt8], in bytes: UnsafeRawBufferPointer) -> (values: [UInt8], time: Int64)? {
        var slot = Int(truncatingIfNeeded: Self.hash(key)) & (self.slots - 1)
        for _ in 0..<self.slots {
            let entry = bytes.number(at: self.table + slot * 8)
            guard entry > 0, let row = Int(exactly: entry - 1), row + Self.headLength <= self.table else { return nil }
            let lengths = bytes.number(at: row)
            let (keyLength, valueLength) = (Int(lengths & 0xFFFF_FFFF), Int(lengths >> 32))
            let start = row + Self.headLength
            guard start + keyLength + valueLength <= self.table else { return nil }
            if bytes[start..<(start + keyLength)].elementsEqual(key) {
                let values = bytes[(start + keyLength)..<(start + keyLength + valueLength)]
                return (Array(values), Int64(bitPattern: bytes.number(at: row + 8)))
            }
            slot = (slot + 1) & (self.slots - 1)
        }
        return nil
    }

    /// FNV-1a, with its bits mixed once more: its lower ones alone choose a slot.
    private static func hash(_ key: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash ^= hash >> 33
        hash = hash &* 0xFF51_AFD7_ED55_8CCD
        return hash ^ hash >> 33
    }

    // MARK: Writing

    struct Writer {
        private let file: FileWriter
        private var hashes: [(hash: UInt64, offset: Int)] = []
        var count: Int { self.hashes.count }

        init(_ path: String) throws(MartletError) {
            self.file = try FileWriter(path)
        }

        mutating func add(_ row: FeatureRowReader.Row) throws(MartletError) {
            let (key, values) = (Array(row.key.utf8), Array(JSONValue.object(row.values).canonicalJSON.utf8))
            self.hashes.append((RowFile.hash(key), self.file.count))
            try self.file.write(elements: [UInt32(key.count).littleEndian, UInt32(values.count).littleEndian])
            try self.file.write(elements: [(row.time?.milliseconds ?? Int64.min).littleEndian])
            try self.file.write(key)
            try self.file.write(values)
        }

        /// Ends the file; it is on the disk then.
        mutating func finish() throws(MartletError) {
            var slots = 2
            while slots < self.hashes.count * 2 { slots *= 2 }
            var table = [UInt64](repeating: 0, count: slots)
            for (hash, offset) in self.hashes {
                var slot = Int(truncatingIfNeeded: hash) & (slots - 1)
                while table[slot] != 0 { slot = (slot + 1) & (slots - 1) }
                table[slot] = UInt64(offset + 1).littleEndian
            }
            try self.file.write(elements: table)
            let tail = [UInt64(slots), UInt64(self.hashes.count), RowFile.mark]
            try self.file.write(elements: tail.map(\.littleEndian))
            try self.file.finish()
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func number(at offset: Int) -> UInt64 {
        UInt64(littleEndian: self.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
