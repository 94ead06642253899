import GitSource
import Schema
import Testing

/// Addresses are read as git reads them, and never hold secrets.
struct RemoteURLTests {
    @Test(arguments: [
        ("https://git.example.com/team/models.git", true), ("ssh://git@host/path", true), ("git@host:path", true),
        ("file:///srv/models.git", true), ("host:path", true), ("ext::sh -c id", true), (".", false),
        ("/srv/models.git", false), ("../models", false), ("./a:b", false), ("models", false),
    ])
    func remoteIsToldFromPath(_ text: String, _ isRemote: Bool) {
        #expect(RemoteURL.isRemote(text) == isRemote)
    }

    @Test func partsAreRead() throws {
        let https = try RemoteURL("https://token%40x@Git.Example.com:8443/team/models.git")
        #expect(https.transport == .https && https.user == "token@x" && https.host == "git.example.com")
        #expect(https.port == 8443 && https.path == "/team/models.git")
        #expect(https.description == "https://git.example.com:8443/team/models.git")
        let ssh = try RemoteURL("ssh://git@[::1]:2222/models.git")
        #expect(ssh.host == "::1" && ssh.port == 2222 && ssh.isLoopback)
        #expect(ssh.description == "ssh://git@[::1]:2222/models.git")
        let short = try RemoteURL("git@host:team/models.git")
        #expect(short.transport == .ssh && short.user == "git" && short.host == "host")
        #expect(short.path == "team/models.git")
        #expect(try RemoteURL("file:///srv/models.git").path == "/srv/models.git")
    }

    @Test(arguments: [
        ("https://ada:secret@host/models.git", "SecretInURL", "--password-env"),
        ("ssh://ada:secret@host/models.git", "SecretInURL", "--password-file"),
        ("git://host/models.git", "BadRemote", "'git'"), ("ext::sh -c id", "BadRemote", "spaces"),
        ("ext::id", "BadRemote", "'ext'"), ("ftp://host/x", "BadRemote", "'ftp'"),
        ("https://host", "BadRemote", "no path"), ("https:///models.git", "BadRemote", "no host"),
        ("file://host/models.git", "BadRemote", "file:///"), ("https://host:x/models", "BadRemote", "port"),
        ("https://-oProxyCommand=id/models", "BadRemote", "host"),
        ("git@-oProxyCommand=id:x", "BadRemote", "incomplete"),
        ("https://host/models?x=1", "BadRemote", "'?'"), ("https://host/mod els", "BadRemote", "spaces"),
    ])
    func badAddressIsRefused(_ text: String, _ code: String, _ words: String) {
        expectError(code, mentioning: words) { try RemoteURL(text) }
        let error = #expect(throws: MartletError.self) { _ = try RemoteURL(text) }
        #expect(error?.description.contains("secret@") == false)
    }
}
