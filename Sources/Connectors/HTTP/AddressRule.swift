/// Which addresses chains may call: a pure function of the address.
enum AddressRule {
    enum Verdict: Sendable, Hashable {
        /// Anybody's: the public Internet.
        case open
        /// A network that others cannot see: this machine, the company's. Called where the manifest allows it.
        case local(String)
        /// Never called: it serves no API, or hands out the machine's own credentials.
        case never(String)
    }

    /// Judges one address. Addresses of version 4 inside of version 6 are judged as what they lead to.
    static func verdict(on address: IPAddress) -> Verdict {
        if let inner = AddressRule.embedded(in: address) {
            switch self.verdict(on: inner) {
            case .open: return .open
            case .local(let words): return .local("\(words), inside of version 6")
            case .never(let words): return .never("\(words), inside of version 6")
            }
        }
        if let row = self.rows.first(where: { $0.block.contains(address) }) { return row.verdict }
        guard address.isVersionSix else { return .open }
        // Of version 6 this is all that was ever given out to the Internet.
        return self.globalUnicast?.contains(address) == true ? .open : .never("a reserved address")
    }

    private struct Row: Sendable {
        var block: AddressBlock
        var verdict: Verdict
    }

    private static let globalUnicast = AddressBlock("2000::/3")

    /// The first block that an address lies in decides. After IANA's registries of special-purpose addresses.
    private static let rows: [Row] = [
        row(
            .never("where clouds hand out a machine's credentials"),
            "169.254.169.254/32",
            "169.254.170.2/32",
            "100.100.100.200/32",
            "168.63.129.16/32",
            "192.0.0.192/32",
            "fd00:ec2::254/128",
            "fd20:ce::254/128"
        ),
        row(.local("this machine"), "127.0.0.0/8", "::1/128"),
        row(.local("a private network"), "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
        row(.local("a provider's shared network"), "100.64.0.0/10"),
        row(.never("a link-local address"), "169.254.0.0/16", "fe80::/10"),
        row(.never("no address of a server"), "0.0.0.0/8", "::/128"),
        row(.never("a multicast or broadcast address"), "224.0.0.0/4", "255.255.255.255/32", "ff00::/8"),
        row(
            .never("a reserved address"),
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
            "100::/64",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "fec0::/10"
        ),
        row(.never("a tunnel's address"), "2001::/23", "2002::/16", "64:ff9b:1::/48"),
    ].flatMap(\.self)

    private static func row(_ verdict: Verdict, _ blocks: String...) -> [Row] {
        blocks.compactMap { AddressBlock($0) }.map { Row(block: $0, verdict: verdict) }
    }

    private static let embeddings = [
        // Mapped, compatible, and translated by a gateway (RFC 6052): the last four bytes.
        "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96",
    ].compactMap { AddressBlock($0) }

    private static func embedded(in address: IPAddress) -> IPAddress? {
        guard address.isVersionSix else { return nil }
        let last = IPAddress(bytes: Array(address.bytes.suffix(4)))
        if self.embeddings.contains(where: { $0.contains(address) }) { return last }
        // ISATAP (RFC 5214), below any prefix.
        let marker = Array(address.bytes[8..<12])
        if marker == [0, 0, 0x5E, 0xFE] || marker == [2, 0, 0x5E, 0xFE] { return last }
        // Compatible addresses (RFC 4291, 2.5.5.1), but for the two that mean something else.
        let isCompatible = address.bytes.prefix(12).allSatisfy { $0 == 0 }
        return isCompatible && address.bytes[12...].contains { $0 > 1 } ? last : nil
    }
}
