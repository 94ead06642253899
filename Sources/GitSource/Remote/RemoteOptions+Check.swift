internal import Schema

extension RemoteOptions {
    /// Throws `BadRemote` for options that contradict each other.
    func check() throws {
        if self.url.transport == .http, !self.url.isLoopback, !self.allowsPlainHTTP {
            throw MartletError(
                "BadRemote",
                "'\(self.url)' is reached without encryption, so that anybody on the way can change what is served: use "
                    + "https or ssh, or allow it with --insecure-http"
            )
        }
        if self.credentials.password != nil, self.url.transport == .ssh || self.url.transport == .file {
            throw MartletError(
                "BadRemote",
                "a password is for https; '\(self.url)' is reached by \(self.url.transport.rawValue)"
                    + (self.url.transport == .ssh ? ", which takes a key (--ssh-key)" : ", which takes none")
            )
        }
        if self.credentials.sshKey != nil, self.url.transport != .ssh {
            throw MartletError(
                "BadRemote",
                "an ssh key is of no use for '\(self.url)': leave it out, or write an ssh address"
            )
        }
        if self.credentials.caFile != nil, self.url.transport != .https {
            throw MartletError("BadRemote", "a file of authorities is for https; '\(self.url)' shows no certificate")
        }
        guard self.maxBytes > 0, self.deadline > .zero, self.poll > .zero else {
            throw MartletError(
                "BadRemote",
                "the poll interval, the deadline and the byte limit of a fetch are above zero"
            )
        }
        let hasStrangers = self.ref.utf8.contains { $0 <= 0x20 || $0 == 0x7F }
        guard !self.ref.isEmpty, !hasStrangers, self.ref.first != "-" else {
            throw MartletError("BadRemote", "'\(self.ref)' is no ref: write a branch, a tag or a full commit id")
        }
    }

    /// The name of the clone's folder: readable, and different for each address, user and ref.
    var cloneName: String {
        let last = self.url.path.split(separator: "/").last ?? ""
        let readable = last.prefix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "-" }
        let identity = [self.url.address, self.credentials.username ?? self.url.user ?? "", self.ref]
        let digest = Digest(of: identity.joined(separator: "\n").utf8)
        return "\(String(readable))-\(digest.hex.prefix(16))"
    }
}
