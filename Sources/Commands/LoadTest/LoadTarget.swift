internal import Foundation
internal import Schema

/// Where a load test goes to.
struct LoadTarget: Sendable, Equatable {
    /// As it was given, without a slash at its end.
    let address: String
    let host: String
    let port: Int
    let usesTLS: Bool
    /// What stands before every path; mostly empty.
    let prefix: String

    /// `http://127.0.0.1:8080` or `https://models.shop.example/plane`. Throws `BadAddress`.
    init(_ address: String) throws {
        let trimmed = address.hasSuffix("/") ? String(address.dropLast()) : address
        guard let parts = URLComponents(string: trimmed), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty, parts.query == nil,
            parts.fragment == nil, parts.user == nil
        else {
            throw MartletError("BadAddress", "'\(address)' is no address of a data plane; write http://127.0.0.1:8080")
        }
        self.address = trimmed
        self.host = host.trimmingCharacters(in: ["[", "]"])
        self.usesTLS = scheme == "https"
        self.port = parts.port ?? (scheme == "https" ? 443 : 80)
        self.prefix = parts.percentEncodedPath
    }

    /// The data plane of the controller whose state directory has this socket. Throws `ControllerUnreachable`.
    init(besideSocket socket: String) throws {
        let file = URL(filePath: socket).deletingLastPathComponent().appending(path: "addresses.json").path()
        guard let data = FileManager.default.contents(atPath: file),
            let addresses = try? JSONDecoder().decode([String: String].self, from: data),
            let address = addresses["data"]
        else {
            throw MartletError(
                "ControllerUnreachable",
                "\(file) names no data plane; start a controller with 'martlet run', name its state directory with "
                    + "--state-dir or MARTLET_STATE_DIR, or give the address with --data-plane"
            )
        }
        try self.init(address.replacing("//0.0.0.0:", with: "//127.0.0.1:").replacing("//[::]:", with: "//[::1]:"))
    }

    /// What stands in `Host`.
    var authority: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return self.port == (self.usesTLS ? 443 : 80) ? host : "\(host):\(self.port)"
    }
}
