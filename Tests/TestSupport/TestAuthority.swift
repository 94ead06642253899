internal import Foundation
internal import Schema

/// A certificate authority made for one test by `openssl`, and servers that show its certificates.
package final class TestAuthority: Sendable {
    /// What is wrong with a certificate, if anything.
    package enum Flaw: String, Sendable, CaseIterable {
        case none
        case expired
        case otherHost
    }

    private let folder: TemporaryFolder

    package init() throws {
        self.folder = try TemporaryFolder()
        let files = ["-keyout", self.folder.file("ca.key"), "-out", self.file]
        try Tool.run(["openssl", "req", "-x509", "-subj", "/CN=Test authority", "-days", "2"] + files + Self.newKey)
    }

    /// The path of its own certificate: who trusts this trusts what it has signed.
    package var file: String { self.folder.file("ca.pem") }

    /// Starts a server on `localhost` that shows a certificate of this authority.
    package func server(_ flaw: Flaw = .none) throws -> GitServer {
        let (key, request, certificate) = (
            self.folder.file("\(flaw).key"), self.folder.file("\(flaw).csr"), self.folder.file("\(flaw).pem")
        )
        try Tool.run(["openssl", "req", "-subj", "/CN=server", "-keyout", key, "-out", request] + Self.newKey)
        let name = flaw == .otherHost ? "DNS:git.example.org" : "DNS:localhost"
        try self.folder.write("\(flaw).names", Array("subjectAltName=\(name)\n".utf8))
        try Tool.run([
            "openssl", "x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.folder.file("ca.key"),
            "-CAcreateserial",
            "-days", flaw == .expired ? "-1" : "2", "-extfile", self.folder.file("\(flaw).names"), "-out", certificate,
        ])
        let chain = try Data(contentsOf: URL(filePath: certificate)) + Data(contentsOf: URL(filePath: key))
        try chain.write(to: URL(filePath: certificate))
        return try GitServer(certificate: certificate)
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
}
