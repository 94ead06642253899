internal import Schema

/// The address of a remote repository, read from what people write; never holds a password.
package struct RemoteURL: Sendable, Hashable, CustomStringConvertible {
    /// How the repository is reached.
    package enum Transport: String, Sendable, Hashable, Codable {
        case file
        case http
        case https
        case ssh
    }

    package let transport: Transport
    /// The user that the address names, not percent-encoded.
    package let user: String?
    /// Without brackets; empty for files.
    package let host: String
    package let port: UInt16?
    /// Begins with `/`, except where `host:path` means a path below the user's home.
    package let path: String
    /// The address without the user.
    let address: String
    /// The address without the user of `http` and `https`, which some services let be a token.
    package let description: String

    /// Whether a text is the address of a remote repository rather than a path of this machine.
    ///
    /// As in git: with a scheme, or with a colon before the first slash.
    package static func isRemote(_ text: String) -> Bool {
        if text.contains("://") || text.contains("::") { return true }
        guard let colon = text.firstIndex(of: ":") else { return false }
        return !text[..<colon].contains("/") && colon != text.startIndex
    }

    /// Reads `https://host/path`, `http://…`, `ssh://user@host:port/path`, `user@host:path` or `file:///path`.
    ///
    /// Throws `BadRemote`, or `SecretInURL` without repeating it.
    package init(_ text: String) throws {
        guard !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw MartletError("BadRemote", "the address of the repository holds spaces or control characters")
        }
        guard let separator = text.firstRange(of: "://") else {
            self = try RemoteURL(scpLike: text)
            return
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = try Authority(rest[..<slash], scheme: scheme)
        guard let transport = Transport(rawValue: scheme) else { throw Self.unknown(scheme: scheme) }
        let path = String(rest[slash...])
        guard path.utf8.count > 1, !path.contains("?"), !path.contains("#") else {
            throw MartletError(
                "BadRemote",
                "the address of the repository has no path, or one with '?' or '#': write \(scheme)://host/team/models.git"
            )
        }
        guard (transport == .file) == authority.host.isEmpty else {
            throw MartletError(
                "BadRemote",
                transport == .file
                    ? "a file:// address names no host: write file:///srv/models.git"
                    : "the address of the repository names no host: write \(scheme)://host/team/models.git"
            )
        }
        (self.transport, self.path) = (transport, path)
        (self.user, self.host, self.port) = (authority.user, authority.host, authority.port)
        let host = authority.host.contains(":") ? "[\(authority.host)]" : authority.host
        let place = "\(host)\(authority.port.map { ":\($0)" } ?? "")\(path)"
        self.address = "\(scheme)://\(place)"
        let user = transport == .ssh ? authority.user.map { "\($0)@" } ?? "" : ""
        self.description = "\(scheme)://\(user)\(place)"
    }

    /// Reads `user@host:path`, git's short form for ssh.
    private init(scpLike text: String) throws {
        guard !text.contains("::") else {
            throw Self.unknown(scheme: String(text.prefix { $0 != ":" }))
        }
        let end = text.hasPrefix("[") || text.contains("@[") ? text.firstIndex(of: "]") : nil
        guard let colon = text[(end ?? text.startIndex)...].firstIndex(of: ":") else {
            throw MartletError("BadRemote", "'\(text)' is no address of a remote repository: write https://host/path")
        }
        let head = text[..<colon]
        let path = String(text[text.index(after: colon)...])
        let at = head.lastIndex(of: "@")
        let host = (at.map { head[head.index(after: $0)...] } ?? head).trimming("[", "]")
        let user = at.map { String(head[..<$0]) }
        guard !host.isEmpty, !host.hasPrefix("-"), !path.isEmpty, user?.isEmpty != true, user?.contains(":") != true
        else {
            throw MartletError(
                "BadRemote",
                "the address of the repository is incomplete, or holds a password: write git@host:team/models.git"
            )
        }
        (self.transport, self.path, self.description) = (.ssh, path, text)
        self.address = at.map { String(text[text.index(after: $0)...]) } ?? text
        (self.user, self.host, self.port) = (user, host.lowercased(), nil)
    }

    private static func unknown(scheme: String) -> MartletError {
        MartletError(
            "BadRemote",
            "repositories are fetched by https, ssh and file, and by http from this machine or when it is allowed; "
                + "'\(scheme)' is none of them"
        )
    }

    /// Whether the host is this machine, by a name or address that cannot mean another one.
    package var isLoopback: Bool {
        self.host == "localhost" || self.host == "::1"
            || (self.host.hasPrefix("127.") && self.host.allSatisfy { $0.isNumber || $0 == "." })
    }
}

/// What stands between `://` and the path.
private struct Authority {
    var user: String?
    var host: String
    var port: UInt16?

    init(_ text: Substring, scheme: String) throws {
        let at = text.lastIndex(of: "@")
        if let at {
            let user = text[..<at]
            guard !user.contains(":") else {
                throw MartletError(
                    "SecretInURL",
                    "the address of the repository holds a password, which everybody can read who sees the command "
                        + "line: take it out, and name a variable or a file that holds it (--password-env, "
                        + "--password-file)"
                )
            }
            self.user = String(user).percentDecoded
        }
        var host = at.map { text[text.index(after: $0)...] } ?? text
        let afterBrackets = host.lastIndex(of: "]") ?? host.startIndex
        if let colon = host[afterBrackets...].lastIndex(of: ":") {
            guard let port = UInt16(host[host.index(after: colon)...]), port > 0 else {
                throw MartletError("BadRemote", "the address of the repository has no valid port after ':'")
            }
            self.port = port
            host = host[..<colon]
        }
        // A host that begins with '-' has been taken for an option by programs before.
        guard !host.hasPrefix("-"), self.user?.isEmpty != true else {
            throw MartletError(
                "BadRemote",
                "the address of the repository has no valid user or host: check its spelling"
            )
        }
        self.host = host.trimming("[", "]").lowercased()
    }
}

extension StringProtocol {
    /// Without one given character at each end.
    fileprivate func trimming(_ first: Character, _ last: Character) -> String {
        guard self.first == first, self.last == last else { return String(self) }
        return String(self.dropFirst().dropLast())
    }
}

extension String {
    /// With `%41` and the like replaced by the bytes that they stand for.
    fileprivate var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = self.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
