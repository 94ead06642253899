internal import Glibc

/// An address of the Internet Protocol, as its bytes: 4 of them, or 16.
struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    let bytes: [UInt8]

    /// Takes 4 or 16 bytes, in network order; nil for any other number of them.
    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads the one spelling that everybody reads alike: four decimal numbers without leading zeros, or what RFC 4291
    /// says of version 6, without a zone.
    init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let bytes = IPAddress.versionSix(text) else { return nil }
            self.bytes = bytes
            return
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part -> UInt8? in
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part == "0" || !part.hasPrefix("0")
            else { return nil }
            return UInt8(part)
        }
        guard parts.count == 4, bytes.count == 4 else { return nil }
        self.bytes = bytes
    }

    var isVersionSix: Bool { self.bytes.count == 16 }

    /// In the usual spelling, without brackets.
    var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = self.isVersionSix ? AF_INET6 : AF_INET
        guard inet_ntop(family, self.bytes, &buffer, socklen_t(buffer.count)) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func versionSix(_ text: String) -> [UInt8]? {
        var address = in6_addr()
        guard text.utf8.allSatisfy({ $0 != 0 }), inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: address) { Array($0) }
    }
}

/// A block of addresses that begin with the same bits.
struct AddressBlock: Sendable {
    private let bytes: [UInt8]
    private let length: Int

    /// Takes `10.0.0.0/8`, or `fc00::/7`; the text is a literal of ours.
    init?(_ text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]),
            (0...address.bytes.count * 8).contains(length)
        else { return nil }
        self.bytes = address.bytes
        self.length = length
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == self.bytes.count else { return false }
        let whole = self.length / 8
        guard address.bytes.prefix(whole) == self.bytes.prefix(whole) else { return false }
        let rest = self.length % 8
        guard rest > 0 else { return true }
        return (address.bytes[whole] ^ self.bytes[whole]) >> (8 - rest) == 0
    }
}
