import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Schema
import Synchronization
import Testing

@testable import Gateway

/// The example that GitHub publishes: secret, body and signature.
private enum Published {
    static let secret = "It's a Secret to Everybody"
    static let body = "Hello, World!"
    static let code = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
}

/// Sends one hook to a fresh listener; gives the answer, and each source's hooks as they arrived in the inbox.
private func sendHook(
    _ headers: [String: String],
    _ body: String = Published.body,
    to path: String = "/hooks/git",
    method: HTTPRequest.Method = .post,
    secrets: [String: String] = ["shop": Published.secret, "desk": "another"]
) async throws -> (reply: Reply, waiting: [String: HookNotice]) {
    let inbox = HookInbox(sources: secrets.keys, clock: ContinuousClock(), pause: .zero) { _ in }
    let plane = HookPlane(secrets: secrets.mapValues { Array($0.utf8) }, inbox: inbox, identifiers: { "id" })
    let application = Application(
        router: plane.makeRouter(),
        server: .noticingHangUps(logger: Logger(label: "test")),
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0))
    )
    var fields = HTTPFields()
    for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
    let reply = try await application.test(.live) { [fields] client in
        try await client.send(method, path, body, headers: fields)
    }
    return (reply, inbox.notices)
}

@Suite("Hooks")
struct HookPlaneTests {
    static let goodHooks: [(form: HookForm, headers: [String: String])] = [
        (.github, ["X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=\(Published.code)"]),
        (.github, ["X-Hub-Signature-256": "sha256=\(Published.code)"]),
        (.gitlab, ["X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": Published.secret]),
        (.gitea, ["X-Gitea-Event": "push", "X-Gitea-Signature": Published.code]),
        // As Gitea sends it: with GitHub's headers beside its own.
        (
            .gitea,
            [
                "X-Gitea-Event": "push", "X-Gitea-Signature": Published.code, "X-GitHub-Event": "push",
                "X-Hub-Signature-256": "sha256=\(Published.code)",
            ]
        ),
    ]

    @Test("A good hook asks for the sources whose secret its sender knows", arguments: HookPlaneTests.goodHooks)
    func good(form: HookForm, headers: [String: String]) async throws {
        let (reply, waiting) = try await sendHook(headers)
        #expect(reply.status == 202, "\(reply.text)")
        #expect(reply.json == ["sources": ["shop"]])
        #expect(waiting == ["shop": HookNotice(source: "shop", forms: [form], count: 1)])
    }

    static let unprovenHooks: [[String: String]] = [
        ["X-GitHub-Event": "push"],
        ["X-Gitlab-Event": "Push Hook"],
        ["X-Gitea-Event": "push"],
        ["X-Hub-Signature-256": ""],
        ["X-Hub-Signature-256": Published.code],
        ["X-Hub-Signature-256": "sha1=\(Published.code)"],
        ["X-Hub-Signature-256": "sha256=\(Published.code)0"],
        ["X-Hub-Signature-256": "sha256=\(Published.code.dropLast())"],
        ["X-Hub-Signature-256": "sha256=\(Published.code.dropLast())8"],
        ["X-Hub-Signature-256": "sha256=\(String(repeating: "0", count: 64))"],
        ["X-Gitea-Signature": "sha256=\(Published.code)"],
        ["X-Gitea-Signature": "857107ea\(Published.code.dropFirst(8))"],
        ["X-Gitlab-Token": Published.code],
        ["X-Gitlab-Token": "it's a secret to everybody"],
        ["X-Gitlab-Token": "\(Published.secret)!"],
        // One form's proof is none of another form.
        ["X-Gitea-Event": "push", "X-Hub-Signature-256": "sha256=\(Published.code)"],
    ]

    @Test(
        "A hook that does not show that its sender knows the secret asks for nothing",
        arguments: HookPlaneTests.unprovenHooks
    )
    func unproven(headers: [String: String]) async throws {
        let (reply, waiting) = try await sendHook(headers)
        #expect(reply.status == 401, "\(reply.text)")
        #expect(reply.json?["code"] == "Unauthorized")
        #expect(waiting.isEmpty)
    }

    @Test("The signature covers every byte of the body")
    func otherBody() async throws {
        for body in ["Hello, World", "hello, World!", "Hello, World!\n", ""] {
            let (reply, waiting) = try await sendHook(["X-Hub-Signature-256": "sha256=\(Published.code)"], body)
            #expect(reply.status == 401)
            #expect(waiting.isEmpty)
        }
    }

    @Test("What is no hook is refused before its body is looked at", arguments: [[:], ["X-Event-Key": "repo:push"]])
    func unknownForm(headers: [String: String]) async throws {
        let (reply, waiting) = try await sendHook(headers)
        #expect(reply.status == 400)
        #expect(waiting.isEmpty)
    }

    @Test(
        "A ping is answered and asks for nothing",
        arguments: [
            ("X-GitHub-Event", "X-Hub-Signature-256", "sha256=\(Published.code)"),
            ("X-Gitea-Event", "X-Gitea-Signature", Published.code),
        ]
    )
    func ping(event: String, proof: String, value: String) async throws {
        let (reply, waiting) = try await sendHook([event: "ping", proof: value])
        #expect(reply.status == 200)
        #expect(reply.json == ["ping": "pong"])
        #expect(waiting.isEmpty)
        #expect(try await sendHook([event: "ping"]).reply.status == 401)
    }

    @Test(
        "A source is asked for by its name and its own secret",
        arguments: [("shop", Published.secret, 202), ("shop", "another", 401), ("desk", "another", 202)]
            + [("none", "another", 404), ("none", "wrong", 401), ("shop", "wrong", 401)]
    )
    func named(source: String, token: String, status: Int) async throws {
        let (reply, waiting) = try await sendHook(["X-Gitlab-Token": token], to: "/hooks/git/\(source)")
        #expect(reply.status == status, "\(reply.text)")
        #expect(Array(waiting.keys) == (status == 202 ? [source] : []))
    }

    @Test("Sources that share a secret are asked for together")
    func shared() async throws {
        let secrets = ["a": "s", "b": "s", "c": "t"]
        let (reply, waiting) = try await sendHook(["X-Gitlab-Token": "s"], secrets: secrets)
        #expect(reply.json == ["sources": ["a", "b"]])
        #expect(waiting.keys.sorted() == ["a", "b"])
    }

    @Test("An empty secret opens no door")
    func emptySecret() async throws {
        let (reply, waiting) = try await sendHook(["X-Gitlab-Token": ""], secrets: ["shop": ""])
        #expect(reply.status == 401)
        #expect(waiting.isEmpty)
    }

    @Test("A body past 1 MiB is refused")
    func tooLarge() async throws {
        let headers = ["X-Gitlab-Token": Published.secret]
        #expect(try await sendHook(headers, String(repeating: "x", count: 1 << 20)).reply.status == 202)
        #expect(try await sendHook(headers, String(repeating: "x", count: (1 << 20) + 1)).reply.status == 413)
    }

    @Test("Only POST is answered, and only on the hooks' paths")
    func routes() async throws {
        #expect(try await sendHook([:], method: .get).reply.status == 405)
        #expect(try await sendHook([:], to: "/hooks").reply.status == 404)
        #expect(try await sendHook([:], to: "/api/v1/status", method: .get).reply.status == 404)
    }
}
