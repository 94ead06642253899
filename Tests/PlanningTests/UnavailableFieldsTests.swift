import Planning
import Schema
import Testing

/// Every field that a manifest may have does something, or is refused by name.
struct UnavailableFieldsTests {
    struct Row: Sendable {
        var kind: Kind
        /// The declaration of the field that is refused.
        var field: String
        var change: @Sendable (inout [String: JSONValue]) -> Void
        var words: String
    }

    static func row(
        _ kind: Kind,
        _ field: String,
        _ words: String,
        _ change: @escaping @Sendable (inout [String: JSONValue]) -> Void
    ) -> Row {
        Row(kind: kind, field: field, change: change, words: words + " in this version")
    }

    static let refused: [Row] =
        models + rollouts + settings

    static let models = [
        row(.model, "replicas", "spec.replicas 0 is not available") { $0["replicas"] = 0 }
    ]

    static let rollouts =
        ["canary", "blueGreen", "shadow", "experiment"].map { strategy in
            row(.endpoint, "rollout.strategy", "rollout strategy '\(strategy)' is not available") {
                $0["rollout"] = ["strategy": .string(strategy)]
            }
        } + [
            row(.endpoint, "rollout.steps", "spec.rollout.steps is not available") {
                $0["rollout"] = ["steps": [["setWeight": 5]]]
            },
            row(.endpoint, "rollout.stickyBy", "spec.rollout.stickyBy 'tenant' is not available") {
                $0["rollout"] = ["stickyBy": "tenant"]
            },
            row(.endpoint, "rollout.keepOld", "spec.rollout.keepOld '1m' is not available") {
                $0["rollout"] = ["keepOld": "1m"]
            },
            row(.endpoint, "rollout.onFailure", "spec.rollout.onFailure 'pause' is not available") {
                $0["rollout"] = ["onFailure": "pause"]
            },
            row(.endpoint, "rollout.shadow", "spec.rollout.shadow is not available") {
                $0["rollout"] = ["shadow": [:]]
            },
            row(.endpoint, "rollout.experiment", "spec.rollout.experiment is not available") {
                $0["rollout"] = ["experiment": ["variants": []]]
            },
        ]

    static let settings = [
        row(.endpoint, "tenants", "spec.tenants is not available") {
            $0["tenants"] = [["tenant": "acme", "serve": ["chain": "desk"]]]
        },
        row(.endpoint, "access.tenants", "spec.access.tenants is not available") {
            $0["access"] = ["tenants": ["acme"]]
        },
        row(.endpoint, "access.tenants", "spec.rollout.shadow and spec.access.tenants are not available") {
            $0["access"] = ["tenants": ["acme"]]
            $0["rollout"] = ["shadow": [:]]
        },
    ]

    private static func name(of kind: Kind) -> String {
        switch kind {
        case .model: "deskhand"
        case .promptTemplate: "reply"
        case .dataset: "shots"
        default: "desk"
        }
    }

    @Test("A field that nothing carries out blocks its resource by name", arguments: refused.indices)
    func refuses(index: Int) throws {
        let row = Self.refused[index]
        var repository = try Repository.desk()
        try repository.change(row.kind, Self.name(of: row.kind), row.change)
        let blocker = try #require(repository.build().blocked[Repository.identity(row.kind, Self.name(of: row.kind))])
        #expect(blocker.word == "NotAvailable")
        #expect(blocker.message == row.words)
    }

    static let harmless: [(Kind, @Sendable (inout [String: JSONValue]) -> Void)] = [
        (.model, { $0["load"] = "eager" }),
        (.model, { $0["replicas"] = 2 }),
        (.model, { $0["resources"] = ["memory": "1Gi", "threads": 2] }),
        (.endpoint, { $0["replicas"] = ["min": 3, "max": 3, "targetConcurrency": 4] }),
        (.endpoint, { $0["replicas"] = ["min": 0, "max": 8, "scaleUpDelay": "1s", "scaleDownDelay": "5m"] }),
        (.endpoint, { $0["rollout"] = ["strategy": "immediate", "stickyBy": "session", "swap": true] }),
        (.endpoint, { $0["tenants"] = [] }),
        (.endpoint, { $0["access"] = ["anonymous": true, "tenants": []] }),
        (.promptTemplate, { $0["guards"] = ["input": [["maxTokens": 5]]] }),
    ]

    @Test("A default that is spelt out, and what does have an effect, block nothing", arguments: harmless.indices)
    func lets(index: Int) throws {
        let (kind, change) = Self.harmless[index]
        var repository = try Repository.desk()
        try repository.change(kind, Self.name(of: kind), change)
        #expect(repository.build().blocked.isEmpty)
    }

    @Test("Every refused field has a row above")
    func everyRefusedFieldIsTested() {
        for kind in Kind.allCases {
            let tested = Set(Self.refused.filter { $0.kind == kind }.map(\.field))
            #expect(UnavailableFields.ofThisVersion.fields(of: kind) == tested)
        }
    }

    /// The fields that do something, of the kinds that are carried out. Before a new one is added here, something must
    /// read it; else it belongs to `UnavailableFields`.
    static let effective: [Kind: Set<String>] = [
        .model: [
            "engine", "source", "source.uri", "source.sha256", "load", "replicas", "resources", "resources.memory",
            "resources.threads", "resources.accelerator", "adapters", "adapters[].name", "adapters[].source",
            "adapters[].source.uri",
            "adapters[].source.sha256", "adapters[].scale", "options", "warmUp", "warmUp[].prompt",
            "warmUp[].maxTokens",
            "upstream", "upstream.url", "upstream.model", "upstream.apiKey", "upstream.timeout", "upstream.retries",
            "upstreams", "upstreams[].url", "upstreams[].model", "upstreams[].apiKey", "upstreams[].timeout",
            "upstreams[].retries", "upstreams[].weight", "balance", "upstream.firstByteTimeout",
            "upstreams[].firstByteTimeout",
            // For people, and for the policies that ask about it.
            "version", "card", "card.owner", "card.license", "card.risk", "card.description", "card.intendedUse",
            "card.limitations", "card.trainingData", "card.languages", "card.tags", "card.homepage",
        ],
        .promptTemplate: Set([
            "variables", "variables.*.type", "variables.*.maxLength", "variables.*.enum", "variables.*.default",
            "variables.*.schema", "messages", "messages[].role", "messages[].content", "examples", "examples.dataset",
            "examples.limit", "examples.columns", "examples.columns.input", "examples.columns.output",
            "examples[].input", "examples[].output", "parameters", "parameters.temperature", "parameters.topP",
            "parameters.topK", "parameters.minP", "parameters.maxTokens", "parameters.stop", "parameters.seed",
            "parameters.frequencyPenalty", "parameters.presencePenalty", "output", "output.schema",
            "output.onInvalid", "output.retries", "guards",
        ]).union(
            ["input", "output"].flatMap { place in
                [
                    "", ".maxTokens", ".deny", ".deny.pattern", ".topics", ".topics.allow", ".topics.model",
                    ".topics.minSimilarity", ".topics.variables", ".action",
                ].map { $0.isEmpty ? "guards.\(place)" : "guards.\(place)[]\($0)" }
            }
        ),
        .chain: [
            "input", "input.schema", "steps", "steps[].name", "steps[].when", "steps[].when.value", "steps[].when.in",
            "steps[].when.equals", "steps[].when.not", "steps[].when.all", "steps[].when.any", "steps[].prompt",
            "steps[].prompt.template", "steps[].prompt.model", "steps[].prompt.adapter", "steps[].set", "steps[].with",
            "steps[].timeout", "steps[].retries", "steps[].retries.attempts", "steps[].retries.backoff",
            "steps[].onError", "steps[].onError.use", "output", "limits", "limits.maxSteps", "limits.timeout",
            "steps[].model", "steps[].retrieve", "steps[].retrieve.knowledgeBase", "steps[].retrieve.query",
            "steps[].retrieve.top", "steps[].retrieve.minScore", "steps[].features", "steps[].features.table",
            "steps[].features.key", "steps[].features.columns", "steps[].http", "steps[].http.url",
            "steps[].http.method", "steps[].http.headers", "steps[].http.query", "steps[].http.body",
            "steps[].http.effects", "steps[].http.allowPrivate", "steps[].program", "steps[].program.path",
            "steps[].program.command", "steps[].program.memory", "steps[].program.cpu", "steps[].program.timeout",
            "steps[].program.effects", "steps[].chain", "steps[].parallel", "steps[].parallel.steps",
            "steps[].ensemble", "steps[].ensemble.steps", "steps[].ensemble.combine", "steps[].agent",
            "steps[].agent.model", "steps[].agent.template", "steps[].agent.maxTurns", "steps[].agent.protocol",
            "steps[].agent.tools", "steps[].agent.tools[].name", "steps[].agent.tools[].description",
            "steps[].agent.tools[].input", "steps[].agent.tools[].effects", "steps[].agent.tools[].chain",
            "steps[].agent.tools[].retrieve", "steps[].agent.tools[].retrieve.knowledgeBase",
            "steps[].agent.tools[].retrieve.top", "steps[].agent.tools[].features",
            "steps[].agent.tools[].features.table", "steps[].agent.tools[].features.columns",
            "steps[].agent.tools[].http", "steps[].agent.tools[].http.url", "steps[].agent.tools[].http.method",
            "steps[].agent.tools[].http.headers", "steps[].agent.tools[].http.query",
            "steps[].agent.tools[].http.body", "steps[].agent.tools[].http.effects",
            "steps[].agent.tools[].http.allowPrivate", "steps[].agent.tools[].program",
            "steps[].agent.tools[].program.path", "steps[].agent.tools[].program.command",
            "steps[].agent.tools[].program.memory", "steps[].agent.tools[].program.cpu",
            "steps[].agent.tools[].program.timeout", "steps[].agent.tools[].program.effects",
        ],
        .endpoint: [
            "serve", "serve.chain", "serve.model", "chat", "chat.input", "chat.output", "replicas", "replicas.min",
            "replicas.max", "replicas.targetConcurrency", "replicas.scaleUpDelay", "replicas.scaleDownDelay", "queue",
            "queue.limit", "queue.timeout", "rollout", "rollout.progressDeadline",
            "rollout.drainTimeout", "rollout.swap", "access", "access.anonymous", "limits", "limits.maxBodyBytes",
            "limits.timeout", "batching", "batching.maxSize", "batching.maxDelay", "log", "log.payloads", "log.sample",
            "log.redact", "log.retention", "log.durability",
        ],
        .dataset: [
            "source", "source.uri", "source.sha256", "format",
            // Rows that are read are checked by them.
            "columns", "columns.*.type", "columns.*.required", "columns.*.description",
        ],
    ]

    @Test("Every declared field has an effect or is refused", arguments: effective.keys.sorted())
    func everyFieldIsKnown(kind: Kind) {
        let refused = UnavailableFields.ofThisVersion.fields(of: kind)
        let effective = Self.effective[kind] ?? []
        let declared = kind.shape.fieldPaths
        for field in declared where !effective.contains(field) {
            let isRefused = refused.contains { field == $0 || field.hasPrefix("\($0).") || field.hasPrefix("\($0)[") }
            #expect(isRefused, "nothing says what '\(field)' of \(kind.rawValue) does")
        }
        #expect(effective.union(refused).subtracting(declared).isEmpty, "no longer declared")
    }
}
