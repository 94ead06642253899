internal import Planning
internal import Schema

/// An address that chains may call, read so strictly that no two clients could take it for two different hosts.
struct OutboundURL: Sendable, Hashable {
    enum Host: Sendable, Hashable {
        /// In lower case, without a final dot.
        case name(String)
        case address(IPAddress)
    }

    let isEncrypted: Bool
    let host: Host
    /// Nil: the scheme's own.
    let port: Int?
    /// The path and the query, from the first slash on.
    let target: String

    /// Throws ``OutboundFailure`` of the kind `refused`.
    init(_ text: String, query: [String: JSONValue] = [:]) throws(OutboundFailure) {
        func refuse(_ problem: String) -> OutboundFailure {
            OutboundFailure(.refused, "'\(text.prefix(200))' \(problem)")
        }
        // Control characters, spaces, backslashes and letters beyond ASCII are read differently by different clients.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw refuse("has characters that no address has; write them as %XX")
        }
        guard let mark = text.firstRange(of: "://") else { throw refuse("is no address: write https://host/path") }
        switch text[..<mark.lowerBound].lowercased() {
        case "https": self.isEncrypted = true
        case "http": self.isEncrypted = false
        default: throw refuse("has a scheme that is not called: only https and http are")
        }
        let rest = text[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else {
            throw refuse("has a user or a password in it: give them as a header with fromEnv or fromFile")
        }
        let (host, port) = try Self.split(authority, refuse)
        (self.host, self.port) = (try Self.read(host, refuse), port)
        var target = String(rest[authority.endIndex...].prefix { $0 != "#" })
        if !target.hasPrefix("/") { target = "/" + target }
        for (name, value) in query.sorted(by: { $0.key < $1.key }) {
            for text in try Self.texts(value, named: name) {
                target += target.contains("?") ? (target.hasSuffix("?") || target.hasSuffix("&") ? "" : "&") : "?"
                target += "\(Self.encoded(name))=\(Self.encoded(text))"
            }
        }
        self.target = target
    }

    /// The host as it stands in an address.
    var hostText: String {
        switch self.host {
        case .name(let name): name
        case .address(let address): address.isVersionSix ? "[\(address)]" : "\(address)"
        }
    }

    /// The host without brackets, as allow lists and look-ups know it.
    var bareHost: String {
        switch self.host {
        case .name(let name): name
        case .address(let address): "\(address)"
        }
    }

    /// Up to the path: what errors name, since a query may hold what a caller said.
    var origin: String {
        "\(self.isEncrypted ? "https" : "http")://\(self.hostText)" + (self.port.map { ":\($0)" } ?? "")
    }

    private static func split(
        _ authority: Substring,
        _ refuse: (String) -> OutboundFailure
    ) throws(OutboundFailure) -> (host: Substring, port: Int?) {
        var (host, rest) = (authority, Substring())
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            (host, rest) = (authority[...end], authority[authority.index(after: end)...])
        } else if let colon = authority.firstIndex(of: ":") {
            (host, rest) = (authority[..<colon], authority[colon...])
        }
        guard !rest.isEmpty else { return (host, nil) }
        let digits = rest.dropFirst()
        guard rest.hasPrefix(":"), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { throw refuse("has no port from 1 to 65535 after its colon") }
        return (host, port)
    }

    private static func read(
        _ text: Substring,
        _ refuse: (String) -> OutboundFailure
    ) throws(OutboundFailure) -> Host {
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), let address = IPAddress(String(text.dropFirst().dropLast())),
                address.isVersionSix
            else { throw refuse("has no address of version 6 between its brackets") }
            return .address(address)
        }
        if let address = IPAddress(String(text)) { return .address(address) }
        let name = (text.hasSuffix(".") ? text.dropLast() : text).lowercased()
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F
                }
        }
        guard isPlain, name.utf8.count <= 253, let last = labels.last else { throw refuse("has no name of a host") }
        // 2130706433, 0x7f.1, 127.1 and 0177.0.0.1 are all ways to write 127.0.0.1 that resolvers understand.
        let isNumber = last.utf8.allSatisfy { (0x30...0x39).contains($0) } || last.hasPrefix("0x")
        guard !isNumber else { throw refuse("has a number for a host: write addresses as four decimal numbers") }
        return .name(name)
    }

    private static func texts(_ value: JSONValue, named name: String) throws(OutboundFailure) -> [String] {
        switch value {
        case .null: return []
        case .string(let text): return [text]
        case .bool, .integer, .number: return [value.canonicalJSON]
        case .array(let elements):
            var texts: [String] = []
            for element in elements {
                guard element.array == nil else { throw Self.unfit(name) }
                texts += try Self.texts(element, named: name)
            }
            return texts
        case .object: throw Self.unfit(name)
        }
    }

    private static func unfit(_ name: String) -> OutboundFailure {
        OutboundFailure(.invalidInput, "the query '\(name)' takes a text, a number, a boolean or a list of these")
    }

    /// Everything but letters, digits and `-._~` as `%XX`: nothing in a value can end it or begin another one.
    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
