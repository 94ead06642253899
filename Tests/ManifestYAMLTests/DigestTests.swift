internal import ManifestYAML
internal import Schema
internal import Testing

/// Digests decide what rolls out: they may never change for a manifest that did not.
@Suite struct DigestTests {
    /// Frozen: a new version of the program that changes one of these would roll every endpoint of everybody.
    private static let golden = [
        "batch-job": "3a4bc8eed8100a1eeadda00cd59a0e2612889de9998ddc75da511db907b51a12",
        "chain": "af63f579dec05206d3c0e34265647584db83e5eec4e3042e94b0b3cdea31df5a",
        "cluster": "d45f5a4e7738763afb001420e0b25ac7881addbf3c2a74cb8d2a513c8bba833b",
        "dataset": "ad7bcd23bbf5e578bdeb89b8928ef354e218c05a15602c85f0d4e7ed931ea119",
        "endpoint": "30550adce9c48a2608730e0d8ca27661c01a802a7268e96909b9e4f8bd3e81ae",
        "evaluation": "fa6fe7c54c519180e83d66d25538ea48b766f04242fa930be9d0eaeac6ba99fc",
        "feature-table": "4c3625f52c0db1da99991a869c475f523177609af0cb5d8ecc0eab63be900830",
        "knowledge-base": "30402ddb6cd560e0ffd1deb4a33c0c151a29e979f51e43b97ddc023f62bf4581",
        "model": "426b6227db6687de07887446781cc60cd714e7b52d0376d797bdf03e46aa58fa",
        "monitor": "f5b21ac88f2b99f26a3f2d9f581eacfc3b0d1afe8b5c1d0d997dd4beb8587bd5",
        "overlay": "d97796ddc1decd0df6f959169b9e4f6c303a947bb0de02f0e97581b325570160",
        "policy": "3099a72afc1aaf934e03873088a6ba94b76bfe403aa5ead72b570573fe81b98f",
        "prompt-template": "97596bfabe1b38f1af4e775957436c0f4d87f63d298325dce559aa626c60cdeb",
        "receiver": "9dae0de054dda70ea6fbd02cf5d457baa21f2e9e2e427ef82cbca03f3a85c8ac",
        "stream-job": "8a35e0da185c2313d4bd7d150ffc3ab77728fc8b7d0131c25b392976ec4cec93",
        "tenant": "e60fb5f77c4b0b0f9c9e604a68f2537a80f1a5b390a598815d3802bde3516655",
        "trigger": "d914cc82aee1aefcb18966dc4b5bc19305a7caeb243252577613c5c774582fa7",
    ]

    @Test(arguments: Fixture.names(in: "Valid", ending: ".yaml"))
    func goldenDigestsStand(name: String) throws {
        let file = ManifestReader().read(try Fixture.bytes("Valid/\(name).yaml"), path: "\(name).yaml")
        #expect(file.resources.map(\.digest.hex) == [Self.golden[name]])
    }

    private static func digest(_ text: String, path: String = "a.yaml") throws -> Digest {
        let file = Fixture.read(text, path: path)
        #expect(file.report.isEmpty, "\(text)")
        return try #require(file.resources.first).digest
    }

    private static let manifest = """
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: desk}
        spec:
          serve: {chain: desk}
          limits: {timeout: 2m}
          queue: {limit: 512}

        """

    @Test(arguments: [
        ("\n", "\r\n"), ("spec:", "# a comment\nspec:"),
        ("{name: desk}", "{name: desk, labels: {a: b}, annotations: {c: d}}"),
        ("{name: desk}", "{name: other, namespace: shop}"), ("timeout: 2m", "timeout: 120s"), ("2m", "120000ms"),
        ("{chain: desk}", "\n    \"chain\": 'desk'"), ("512", "0x200"), ("{limit: 512}", "{limit: 512, timeout: 30s}"),
        ("{timeout: 2m}", "{timeout: 2m, maxBodyBytes: 1048576}"),
        ("{timeout: 2m}", "{maxBodyBytes: 1Mi, timeout: 2m}"),
        ("spec:\n", "spec:\n  replicas: {}\n"), ("spec:\n", "spec:\n  replicas:\n"),
        ("spec:\n", "spec:\n  rollout: {strategy: immediate, drainTimeout: 30000ms}\n  tenants: []\n"),
    ])
    func whatMeansTheSameHasOneDigest(old: String, new: String) throws {
        let text = Self.manifest.replacing(old, with: new)
        #expect(text != Self.manifest)
        #expect(try Self.digest(text, path: "moved/b.yml") == Self.digest(Self.manifest))
    }

    @Test(arguments: [
        ("512", "513"), ("2m", "3m"), ("{chain: desk}", "{model: desk}"),
        ("{limit: 512}", "{limit: 512, timeout: 31s}"),
        ("spec:\n", "spec:\n  access: {}\n"), ("spec:\n", "spec:\n  batching: {}\n"),
    ])
    func whatMeansSomethingElseHasAnother(old: String, new: String) throws {
        let text = Self.manifest.replacing(old, with: new)
        #expect(try Self.digest(text) != Self.digest(Self.manifest))
    }

    @Test func sameSpecsOfDifferentKindsDiffer() throws {
        let spec: JSONValue = ["endpoint": "e"]
        let monitor = try Resource(ResourceIdentity(.monitor, namespace: "default", name: "a"), spec: spec)
        let stream = try Resource(ResourceIdentity(.streamJob, namespace: "default", name: "a"), spec: spec)
        #expect(monitor.canonicalSpec == stream.canonicalSpec)
        #expect(monitor.digest != stream.digest)
    }
}
