/// The host that a URI of a manifest leads to, read so that no spelling hides another host.
enum URIHost: Sendable, Hashable {
    /// The bytes lie in the repository or on this machine.
    case none
    /// In lower case, without port, user and final dot.
    case name(String)
    /// Nobody can be sure what a client would make of it.
    case unclear

    /// The host that `hf://owner/repo/file` is fetched from.
    static let huggingFace = "huggingface.co"
    /// What follows the bucket's name in the host of `s3://bucket/key`.
    static let s3Domain = "s3.amazonaws.com"

    init(_ uri: String) {
        guard let mark = uri.firstRange(of: "://") else {
            self = .none
            return
        }
        let scheme = uri[..<mark.lowerBound].lowercased()
        let rest = uri[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        switch scheme {
        case "file": self = .none
        case "hf": self = .name(URIHost.huggingFace)
        case "s3":
            let bucket = URIHost.host(in: authority)
            self = bucket.map { .name("\($0).\(URIHost.s3Domain)") } ?? .unclear
        default: self = URIHost.host(in: authority).map { .name($0) } ?? .unclear
        }
    }

    /// Only plain names and addresses: whatever clients may read in different ways is no host.
    private static func host(in authority: Substring) -> String? {
        // Some clients take a backslash for a slash: then another host stands in front of it.
        guard !authority.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 <= 0x20 || $0 >= 0x7F }) else {
            return nil
        }
        var host = authority
        if let user = host.lastIndex(of: "@") { host = host[host.index(after: user)...] }
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let address = host[host.index(after: host.startIndex)..<end]
            let rest = host[host.index(after: end)...]
            guard rest.isEmpty || isPort(rest),
                address.utf8.allSatisfy({ isHexadecimal($0) || $0 == UInt8(ascii: ":") })
            else { return nil }
            return address.lowercased()
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[colon...]) else { return nil }
            host = host[..<colon]
        }
        if host.hasSuffix(".") { host = host.dropLast() }
        guard !host.isEmpty, !host.hasPrefix("."), host.utf8.allSatisfy({ isPlain($0) }) else { return nil }
        return host.lowercased()
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.hasPrefix(":") && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
    }
}

/// A host of an allow list: a name, or `*.` and a name for all hosts below it. Hosts are matched in lower case.
package struct HostPattern {
    private let name: String
    private let isBelow: Bool

    package init(_ text: String) {
        self.isBelow = text.hasPrefix("*.")
        self.name = (self.isBelow ? String(text.dropFirst(2)) : text).lowercased()
    }

    package func matches(_ host: String) -> Bool {
        self.isBelow ? host.hasSuffix(".\(self.name)") && host.utf8.count > self.name.utf8.count + 1 : host == self.name
    }
}
