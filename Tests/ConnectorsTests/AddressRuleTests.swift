import Testing

@testable import Connectors

@Suite("Addresses that chains may call")
struct AddressRuleTests {
    enum Expected: String, Sendable { case open, local, never }

    static let table: [(String, Expected)] = [
        ("1.1.1.1", .open), ("8.8.8.8", .open), ("9.255.255.255", .open), ("11.0.0.0", .open),
        ("93.184.216.34", .open), ("100.63.255.255", .open), ("100.128.0.0", .open), ("126.255.255.255", .open),
        ("128.0.0.1", .open), ("169.253.255.255", .open), ("169.255.0.0", .open), ("172.15.255.255", .open),
        ("172.32.0.0", .open), ("192.167.255.255", .open), ("192.169.0.0", .open), ("198.17.255.255", .open),
        ("198.20.0.0", .open), ("223.255.255.255", .open),
        ("127.0.0.1", .local), ("127.255.255.254", .local), ("10.0.0.1", .local), ("10.255.255.255", .local),
        ("172.16.0.1", .local), ("172.31.255.255", .local), ("192.168.0.1", .local), ("192.168.255.255", .local),
        ("100.64.0.1", .local), ("100.127.255.255", .local),
        ("169.254.169.254", .never), ("169.254.170.2", .never), ("169.254.0.1", .never), ("100.100.100.200", .never),
        ("168.63.129.16", .never), ("192.0.0.192", .never), ("0.0.0.0", .never), ("0.1.2.3", .never),
        ("224.0.0.1", .never), ("239.255.255.255", .never), ("240.0.0.1", .never), ("255.255.255.255", .never),
        ("192.0.2.1", .never), ("198.51.100.7", .never), ("203.0.113.9", .never), ("198.18.0.1", .never),
        ("192.88.99.1", .never),
        ("2606:4700:4700::1111", .open), ("2a00:1450:4001:800::200e", .open), ("3ffe::1", .open),
        ("::1", .local), ("fc00::1", .local), ("fdff:ffff::1", .local),
        ("::", .never), ("fe80::1", .never), ("febf::1", .never), ("fec0::1", .never), ("ff02::1", .never),
        ("fd00:ec2::254", .never), ("2001:db8::1", .never), ("3fff::1", .never), ("100::1", .never),
        ("2001::1", .never), ("2002:0a00:0001::", .never), ("2002:0808:0808::1", .never), ("64:ff9b:1::1", .never),
        ("4000::1", .never), ("1::1", .never), ("5f00::1", .never),
        ("::ffff:8.8.8.8", .open), ("::ffff:127.0.0.1", .local), ("::ffff:10.1.2.3", .local),
        ("::ffff:169.254.169.254", .never), ("::ffff:0.0.0.0", .never), ("::ffff:0:7f00:1", .local),
        ("::127.0.0.1", .local), ("::169.254.169.254", .never), ("64:ff9b::8.8.8.8", .open),
        ("64:ff9b::10.0.0.1", .local), ("64:ff9b::a9fe:a9fe", .never), ("2606:4700::5efe:10.0.0.1", .local),
        ("2606:4700::200:5efe:169.254.169.254", .never), ("2606:4700::5efe:8.8.8.8", .open),
    ]

    @Test("Each address is judged as what it leads to", arguments: table)
    func verdict(text: String, expected: Expected) throws {
        let address = try #require(IPAddress(text))
        switch AddressRule.verdict(on: address) {
        case .open: #expect(expected == .open)
        case .local: #expect(expected == .local)
        case .never: #expect(expected == .never)
        }
    }

    @Test(
        "Only the usual spelling is an address",
        arguments: [
            "127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.0.0.01", "256.0.0.1", "1.2.3", "1.2.3.4.5", "",
            "1..2.3",
            "+1.2.3.4", "1.2.3.4 ", "fe80::1%eth0", "::g", "1:2:3:4:5:6:7:8:9", "[::1]",
        ]
    )
    func noAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "Addresses are written in the usual spelling",
        arguments: ["1.2.3.4", "::1", "2001:db8::5", "::ffff:1.2.3.4"]
    )
    func description(text: String) {
        #expect(IPAddress(text)?.description == text)
    }
}
