import ArgumentParser
import Planning
import Schema
import TestSupport
import Testing

@testable import Commands

/// The files of keys that options name.
struct PolicyOptionsTests {
    private func options(_ text: String, in folder: TemporaryFolder) throws -> PolicyOptions {
        try folder.write("signers", Array(text.utf8))
        return try PolicyOptions.parse(["--require-signatures", folder.file("signers")])
    }

    @Test(
        "A file without a key in it is refused, with its name",
        arguments: [
            "# ada@example.org ssh-ed25519 AAAAC3Nz\n", "\n\n", "ada@example.org\n", "ada@example.org ssh-ed25519\n",
            "ssh-ed25519 AAAAC3Nz\n", "<!doctype html>\n<p>not found</p>\n",
        ]
    )
    func noKey(text: String) throws {
        let folder = try TemporaryFolder()
        let options = try self.options(text, in: folder)
        let error = #expect(throws: MartletError.self) { try options.demand() }
        #expect(error?.code == "KeysUnreadable")
        #expect(error?.message.contains("there is no key in '\(folder.file("signers"))'") == true)
    }

    @Test(
        "Every form of a line with a key is taken",
        arguments: [
            "ada@example.org ssh-ed25519 AAAAC3Nz\n",
            "# who may sign\nada,bob namespaces=\"git\",valid-after=\"20260101\" ecdsa-sha2-nistp256 AAAAE2Vj ada\r\n",
            "*@example.org\tcert-authority\tsk-ssh-ed25519@openssh.com\tAAAAGnNr\n",
        ]
    )
    func key(text: String) throws {
        let folder = try TemporaryFolder()
        let demand = try self.options(text, in: folder).demand()
        #expect(demand.keys.allowedSigners == Array(text.utf8))
        #expect(demand.paths == ["**"])
    }
}
