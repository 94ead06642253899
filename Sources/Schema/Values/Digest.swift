internal import Crypto

/// A SHA-256 value: the identity of content, written as 64 lower-case hexadecimal digits.
package struct Digest: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The 32 bytes, the first one foremost.
    private let words: InlineArray<4, UInt64>

    private init(_ hash: SHA256Digest) {
        self.words = hash.withUnsafeBytes { bytes in
            InlineArray { UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
    }

    /// Hashes bytes.
    package init(of bytes: some Sequence<UInt8>) {
        var hasher = SHA256()
        hasher.update(data: Array(bytes))
        self.init(hasher.finalize())
    }

    /// Hashes the canonical JSON of a value: sorted keys, no white space, shortest numbers.
    package init(canonical value: JSONValue) {
        self.init(of: value.canonicalBytes)
    }

    /// Takes digits that were written before; anything but 64 hexadecimal digits is nil.
    package init?(hex: String) {
        var words = InlineArray<4, UInt64>(repeating: 0)
        var count = 0
        for digit in hex.utf8 {
            guard count < 64, let value = Digest.value(of: digit) else { return nil }
            words[count / 16] = words[count / 16] << 4 | value
            count += 1
        }
        guard count == 64 else { return nil }
        self.words = words
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String { self.digits(64) }

    /// The first 10 digits, as revisions are shown to people.
    package var short: String { self.digits(10) }

    package var description: String { self.hex }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let digest = Digest(hex: text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a SHA-256 in hexadecimal")
            )
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.hex)
    }

    private func digits(_ count: Int) -> String {
        String(unsafeUninitializedCapacity: count) { text in
            for index in 0..<count {
                text[index] = Digest.digit(UInt8(truncatingIfNeeded: self.words[index / 16] >> (60 - index % 16 * 4)))
            }
            return count
        }
    }

    /// Lower-case hexadecimal digits, two for each byte.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [self.digit($0 >> 4), self.digit($0)] }, as: UTF8.self)
    }

    /// The digit of the lower four bits.
    private static func digit(_ bits: UInt8) -> UInt8 {
        let value = bits & 15
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(of digit: UInt8) -> UInt64? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(digit - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension Digest: Comparable {
    package static func == (lhs: Digest, rhs: Digest) -> Bool {
        (0..<4).allSatisfy { lhs.words[$0] == rhs.words[$0] }
    }

    package static func < (lhs: Digest, rhs: Digest) -> Bool {
        for index in 0..<4 where lhs.words[index] != rhs.words[index] { return lhs.words[index] < rhs.words[index] }
        return false
    }

    /// Any part of a SHA-256 tells as many apart as all of it.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.words[0])
    }
}
