import Planning
import Schema
import Testing

@Suite("Policies")
struct PolicyTests {
    /// A policy, a resource, and what is found: `rule at field: message`, each as far as it is given.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var policy: JSONValue
        var kind: Kind
        var spec: JSONValue
        var labels: [String: String] = [:]
        var findings: [String]

        init(
            _ name: String,
            policy: JSONValue,
            _ kind: Kind,
            _ spec: JSONValue,
            labels: [String: String] = [:],
            finds findings: String...
        ) {
            self.testDescription = name
            self.policy = policy
            self.kind = kind
            self.spec = spec
            self.labels = labels
            self.findings = findings
        }
    }

    private static let local: JSONValue = ["engine": "llama", "source": ["uri": "models/a.gguf"]]
    private static func endpoint(_ min: Int64, _ max: Int64) -> JSONValue {
        ["serve": ["model": "a"], "replicas": ["min": .integer(min), "max": .integer(max)]]
    }
    private static func source(_ uri: String) -> JSONValue {
        ["engine": "llama", "source": ["uri": .string(uri)]]
    }

    static let hosts: JSONValue = ["hosts": ["allow": ["models.example.com", "*.internal.example"]]]

    static let cases = [
        Case("an allowed engine", policy: ["engines": ["allow": ["llama", "onnx"]]], .model, Self.local),
        Case(
            "another engine",
            policy: ["engines": ["allow": ["onnx"]]],
            .model,
            Self.local,
            finds: "spec.engines.allow at spec.engine: engine 'llama' is not allowed; allowed: onnx"
        ),
        Case(
            "no engine at all",
            policy: ["engines": ["allow": []]],
            .model,
            Self.local,
            finds: "spec.engines.allow at spec.engine: engine 'llama' is not allowed; none is"
        ),
        Case("an engine of no model", policy: ["engines": ["allow": []]], .endpoint, Self.endpoint(1, 1)),
        Case("a file of the repository", policy: Self.hosts, .model, Self.local),
        Case("a file of the machine", policy: Self.hosts, .model, Self.source("file:///srv/a.gguf")),
        Case("an allowed host", policy: Self.hosts, .model, Self.source("https://Models.Example.com:8443/a.gguf")),
        Case(
            "an allowed host with a final dot",
            policy: Self.hosts,
            .model,
            Self.source("https://models.example.com./a")
        ),
        Case("a host below", policy: Self.hosts, .model, Self.source("https://a.b.internal.example/a.gguf")),
        Case(
            "the domain itself",
            policy: Self.hosts,
            .model,
            Self.source("https://internal.example/a.gguf"),
            finds: "spec.hosts.allow at spec.source.uri: host 'internal.example' is not allowed"
        ),
        Case(
            "a host with an allowed one in front",
            policy: Self.hosts,
            .model,
            Self.source("https://models.example.com.evil.example/a"),
            finds: "spec.hosts.allow at spec.source.uri: host 'models.example.com.evil.example' is not allowed"
        ),
        Case(
            "a host hidden behind a user",
            policy: Self.hosts,
            .model,
            Self.source("https://models.example.com@evil.example/a"),
            finds: "spec.hosts.allow at spec.source.uri: host 'evil.example' is not allowed"
        ),
        Case(
            "a host that clients read in two ways",
            policy: Self.hosts,
            .model,
            Self.source(#"https://evil.example\@models.example.com/a"#),
            finds: "spec.hosts.allow at spec.source.uri: the host of"
        ),
        Case(
            "an encoded host",
            policy: Self.hosts,
            .model,
            Self.source("https://models.example.com%2eevil.example/a"),
            finds: "spec.hosts.allow at spec.source.uri: the host of"
        ),
        Case(
            "a hub and a bucket",
            policy: Self.hosts,
            .model,
            [
                "engine": "llama", "source": ["uri": "hf://owner/repo/file"],
                "adapters": [["name": "a", "source": ["uri": "s3://bucket/key"]]],
            ],
            finds: "spec.hosts.allow at spec.adapters[0].source.uri: host 'bucket.s3.amazonaws.com' is not allowed",
            "spec.hosts.allow at spec.source.uri: host 'huggingface.co' is not allowed"
        ),
        Case(
            "an upstream",
            policy: Self.hosts,
            .model,
            ["engine": "openai", "upstream": ["url": "http://[::1]:8000/v1"]],
            finds: "spec.hosts.allow at spec.upstream.url: host '::1' is not allowed"
        ),
        Case(
            "a step inside a step",
            policy: Self.hosts,
            .chain,
            [
                "steps": [
                    ["name": "a", "parallel": ["steps": [["name": "b", "http": ["url": "https://evil.example/"]]]]]
                ]
            ],
            finds: "spec.hosts.allow at spec.steps[0].parallel.steps[0].http.url: host 'evil.example' is not allowed"
        ),
        Case(
            "a page about the model",
            policy: Self.hosts,
            .model,
            ["engine": "llama", "source": ["uri": "a"], "card": ["homepage": "https://anywhere.example/"]]
        ),
        Case("as many replicas as allowed", policy: ["limits": ["replicas": 4]], .endpoint, Self.endpoint(1, 4)),
        Case(
            "more replicas of an endpoint",
            policy: ["limits": ["replicas": 4]],
            .endpoint,
            Self.endpoint(1, 5),
            finds: "spec.limits.replicas at spec.replicas.max: at most 4 replicas, not 5"
        ),
        Case(
            "more replicas of a model",
            policy: ["limits": ["replicas": 1]],
            .model,
            ["engine": "llama", "source": ["uri": "a"], "replicas": 2],
            finds: "spec.limits.replicas at spec.replicas: at most 1 replica, not 2"
        ),
        Case(
            "as much memory as allowed",
            policy: ["limits": ["memory": "1Gi"]],
            .model,
            ["engine": "llama", "source": ["uri": "a"], "resources": ["memory": "1024Mi"]]
        ),
        Case(
            "more memory",
            policy: ["limits": ["memory": "1Gi"]],
            .model,
            ["engine": "llama", "source": ["uri": "a"], "resources": ["memory": "1025Mi"]],
            finds: "spec.limits.memory at spec.resources.memory: one instance may have 1Gi, not 1025Mi"
        ),
        Case("memory that is not declared", policy: ["limits": ["memory": "1Gi"]], .model, Self.local),
        Case(
            "labels",
            policy: ["require": ["labels": ["team", "tier"]]],
            .endpoint,
            Self.endpoint(1, 1),
            labels: ["tier": ""],
            finds: "spec.require.labels at metadata.labels: the label 'team' is missing",
            "spec.require.labels at metadata.labels.tier: the label 'tier' is empty"
        ),
        Case(
            "annotations",
            policy: ["require": ["annotations": ["ticket"]]],
            .endpoint,
            Self.endpoint(1, 1),
            finds: "spec.require.annotations at metadata.annotations: the annotation 'ticket' is missing"
        ),
        Case(
            "fields of the card",
            policy: ["require": ["card": ["owner", "license", "tags"]]],
            .model,
            ["engine": "llama", "source": ["uri": "a"], "card": ["owner": "desk", "license": "", "tags": []]],
            finds: "spec.require.card at spec.card: the model's card must have the field 'license'",
            "spec.require.card at spec.card: the model's card must have the field 'tags'"
        ),
        Case(
            "a kind that is not matched",
            policy: ["match": ["kinds": ["Endpoint"]], "engines": ["allow": []]],
            .model,
            Self.local
        ),
        Case(
            "labels that are matched",
            policy: ["match": ["labels": ["tier": "production"]], "engines": ["allow": []]],
            .model,
            Self.local,
            labels: ["tier": "production", "team": "desk"],
            finds: "spec.engines.allow at spec.engine"
        ),
        Case(
            "labels that are not matched",
            policy: ["match": ["labels": ["tier": "production"]], "engines": ["allow": []]],
            .model,
            Self.local,
            labels: ["tier": "staging"]
        ),
    ]

    private static func resource(
        _ kind: Kind,
        _ name: String,
        in namespace: String = "default",
        _ spec: JSONValue,
        labels: [String: String] = [:]
    ) throws -> Resource {
        let identity = ResourceIdentity(kind, namespace: namespace, name: name)
        return try Resource(
            identity,
            spec: spec,
            labels: labels,
            location: SourceLocation(path: "\(namespace)/\(name).yaml", line: 1, column: 1)
        )
    }

    private static func build(
        _ resources: [Resource],
        broken: Set<ResourceIdentity> = [],
        sources: PolicySources = PolicySources(),
        previous: DesiredState? = nil,
        locate: @escaping PolicyReview.FieldLocator = { resource, _, _ in resource.location }
    ) -> DesiredState {
        DesiredStateBuilder.build(
            commit: CommitSummary(id: "c1", subject: "Change", author: "A <a@b>", time: 0),
            manifests: .init(resources: resources, broken: broken),
            previous: previous,
            policies: sources,
            locate: locate,
            artifact: { Artifact(location: .repository(path: $0.uri, blob: "b"), size: 1) },
            read: { _ in [] }
        )
    }

    @Test(arguments: Self.cases + Self.callCases)
    func asks(_ test: Case) throws {
        let policy = try Self.resource(.policy, "house", test.policy)
        let resource = try Self.resource(test.kind, "a", test.spec, labels: test.labels)
        let state = Self.build([policy, resource])
        let findings = state.policyReview.allFindings
        let found = findings.map { "\($0.rule) at \($0.field): \($0.message)" }
        #expect(found.count == test.findings.count, "\(found)")
        for (found, wanted) in zip(found.sorted(), test.findings.sorted()) {
            #expect(found.hasPrefix(wanted), "\(found)")
        }
        for finding in findings {
            #expect(finding.policy == policy.identity && finding.resource == resource.identity)
            #expect(finding.location == resource.location && finding.enforcement == .deny)
        }
    }

    @Test func violationBlocksTheResourceAndWhatNeedsIt() throws {
        let resources = try [
            Self.resource(.policy, "house", ["engines": ["allow": ["onnx"]]]),
            Self.resource(.model, "bad", Self.local),
            Self.resource(.endpoint, "bad", ["serve": ["model": "bad"]]),
            Self.resource(.model, "good", ["engine": "onnx", "source": ["uri": "b"]]),
            Self.resource(.endpoint, "good", ["serve": ["model": "good"]]),
        ]
        let state = Self.build(resources)
        let blocker = try #require(state.blocked[resources[1].identity])
        #expect(blocker.word(for: resources[1].identity) == "PolicyViolation")
        #expect(
            blocker.message == "spec.engine: engine 'llama' is not allowed; allowed: onnx "
                + "(Policy/default/house, spec.engines.allow)"
        )
        let endpoint = try #require(state.blocked[resources[2].identity])
        #expect(endpoint.resource == resources[1].identity)
        #expect(endpoint.word(for: resources[2].identity) == "DependencyBlocked")
        #expect(state.variants.keys.map(\.endpoint) == ["good"])
        #expect(state.diagnostics.map(\.severity) == [.error])
    }

    @Test func warningIsReportedAndApplied() throws {
        let resources = try [
            Self.resource(.policy, "house", ["engines": ["allow": ["onnx"]], "enforcement": "warn"]),
            Self.resource(.model, "bad", Self.local),
            Self.resource(.endpoint, "bad", ["serve": ["model": "bad"]]),
        ]
        let state = Self.build(resources)
        #expect(state.blocked.isEmpty)
        #expect(state.variants.keys.map(\.endpoint) == ["bad"])
        #expect(state.diagnostics.map(\.severity) == [.warning])
    }

    @Test func settingsThatAPolicyForbidsAreNotApplied() throws {
        let policy = try Self.resource(.policy, "house", ["limits": ["replicas": 2]])
        let model = try Self.resource(.model, "a", Self.local)
        let few = Self.build([policy, model, try Self.resource(.endpoint, "a", Self.endpoint(2, 2))])
        #expect(few.settings.count == 1 && few.variants.count == 1)
        let many = Self.build([policy, model, try Self.resource(.endpoint, "a", Self.endpoint(3, 3))])
        #expect(many.settings.isEmpty && many.variants.isEmpty)
    }

    @Test func policyReachesItsOwnNamespaceUnlessTheControllerSaysMore() throws {
        let policy = try Self.resource(.policy, "house", in: "rules", ["engines": ["allow": []]])
        let (near, far) = (
            try Self.resource(.model, "a", in: "rules", Self.local),
            try Self.resource(.model, "a", in: "shop", Self.local)
        )
        let own = Self.build([policy, near, far])
        #expect(own.policyReview.allFindings.map(\.resource) == [near.identity])
        let wide = Self.build([policy, near, far], sources: PolicySources(wideNamespaces: ["rules"]))
        #expect(wide.policyReview.allFindings.map(\.resource) == [near.identity, far.identity])
        let file = Self.build([near, far], sources: PolicySources(files: [policy]))
        #expect(file.policyReview.allFindings.map(\.resource) == [near.identity, far.identity])
    }

    @Test(arguments: [
        ("shop", ["shop"]), ("team-*", ["team-a", "team-b"]), ("*", ["shop", "team-a", "team-b"]), ("*-b", ["team-b"]),
        ("team-*-x", []), ("t*m-*", ["team-a", "team-b"]), ("team-a*a", []),
    ])
    func namespacesAreMatchedByPattern(_ pattern: String, _ matched: [String]) throws {
        let spec: JSONValue = ["match": ["namespaces": [.string(pattern)]], "engines": ["allow": []]]
        let policy = try Self.resource(.policy, "house", in: "rules", spec)
        let models = try ["shop", "team-a", "team-b"].map { try Self.resource(.model, "a", in: $0, Self.local) }
        let state = Self.build(models, sources: PolicySources(files: [policy]))
        #expect(state.policyReview.allFindings.map(\.resource.namespace) == matched)
    }

    @Test func policyThatMatchesNothingIsAWarning() throws {
        let policy = try Self.resource(.policy, "house", in: "rules", ["match": ["namespaces": ["shop"]]])
        let state = Self.build([policy])
        #expect(state.diagnostics.map(\.severity) == [.warning])
        #expect(state.diagnostics.first?.message.contains("--policy-namespace rules") == true)
        #expect(Self.build([policy], sources: PolicySources(wideNamespaces: ["rules"])).diagnostics.isEmpty)
    }

    @Test func brokenPolicyHoldsBackAllWithinItsReach() throws {
        let (near, far) = (
            try Self.resource(.model, "a", in: "rules", Self.local),
            try Self.resource(.model, "a", in: "shop", Self.local)
        )
        let broken: Set = [ResourceIdentity(.policy, namespace: "rules", name: "house")]
        let state = Self.build([near, far], broken: broken)
        #expect(state.blocked[near.identity]?.word == "PolicyBroken")
        #expect(state.blocked[near.identity]?.resource == broken.first)
        #expect(state.blocked[far.identity] == nil)
        let wide = Self.build([near, far], broken: broken, sources: PolicySources(wideNamespaces: ["rules"]))
        #expect(wide.blocked[far.identity]?.word == "PolicyBroken")
    }

    @Test func noPolicyIsBoundByAnother() throws {
        let resources = try [
            Self.resource(.policy, "a", ["require": ["labels": ["team"]]]),
            Self.resource(.policy, "b", ["require": ["labels": ["team"]]]),
        ]
        #expect(Self.build(resources).blocked.isEmpty)
    }

    @Test(
        arguments: [
            ["evaluations": [["risk": "high"]], "engines": ["allow": []]],
            ["signatures": [["paths": ["**"], "signers": ["a"], "minimum": 2]], "engines": ["allow": []]],
        ] as [JSONValue]
    )
    func whatIsNotAvailableIsSaidAndTheRestIsInForce(_ spec: JSONValue) throws {
        let policy = try Self.resource(.policy, "house", spec)
        let model = try Self.resource(.model, "a", Self.local)
        let state = Self.build([policy, model])
        #expect(state.blocked[policy.identity]?.word == "NotAvailable")
        #expect(state.blocked[model.identity]?.word == "PolicyViolation")
    }

    @Test func sameResourceIsNotAskedAboutAgain() throws {
        let policy = try Self.resource(.policy, "house", ["engines": ["allow": ["onnx"]], "limits": ["memory": "1Gi"]])
        let (bad, good) = (
            try Self.resource(.model, "bad", Self.local),
            try Self.resource(.model, "good", ["engine": "onnx", "source": ["uri": "b"]])
        )
        let first = Self.build([policy, bad, good])
        let second = Self.build([policy, bad, good], previous: first)
        #expect(second.policyReview == first.policyReview)
        #expect(second.policyReview.memoryLimits.count == 2)
        let stricter = try Self.resource(.policy, "house", ["engines": ["allow": []]])
        #expect(Self.build([stricter, bad, good], previous: second).policyReview.findings.count == 2)
        #expect(Self.build([bad, good], previous: second).policyReview.findings.isEmpty)
    }
}
