internal import Crypto

/// A SHA-256 value in lower-case hexadecimal: the identity of content.
package struct Digest: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let hex: String

    /// Hashes bytes.
    package init(of bytes: some Sequence<UInt8>) {
        var hasher = SHA256()
        hasher.update(data: Array(bytes))
        self.hex = Digest.hexadecimal(hasher.finalize())
    }

    /// Hashes the canonical JSON of a value: sorted keys, no white space, shortest numbers.
    package init(canonical value: JSONValue) {
        self.init(of: value.canonicalJSON.utf8)
    }

    /// Takes digits that were written before; anything but 64 hexadecimal digits is nil.
    package init?(hex: String) {
        let digits = hex.lowercased()
        guard digits.utf8.count == 64, digits.utf8.allSatisfy({ Digest.isHexadecimal($0) }) else { return nil }
        self.hex = digits
    }

    /// The first 10 digits, as revisions are shown to people.
    package var short: String {
        String(self.hex.prefix(10))
    }

    package var description: String { self.hex }

    package static func < (lhs: Digest, rhs: Digest) -> Bool { lhs.hex < rhs.hex }

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

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// Lower-case hexadecimal digits, two for each byte.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
