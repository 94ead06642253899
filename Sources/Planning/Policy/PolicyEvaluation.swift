internal import Schema

/// Asks one policy about one resource: a pure function of the two.
struct PolicyEvaluation {
    /// A broken rule, before anybody looks for its line.
    struct Violation: Sendable, Hashable {
        var rule: String
        var field: FieldPath
        /// Where at its field the violation points; a field that is not there points at what lacks it.
        var place: Finding.Place = .value
        var message: String
    }

    private let spec: PolicySpec
    private let resource: Resource
    private var violations: [Violation] = []

    /// Everything that the resource breaks, in the order of the policy's fields. Empty where the policy does not match.
    static func violations(of policy: Policy, by resource: Resource) -> [Violation] {
        guard policy.matches(resource) else { return [] }
        var evaluation = PolicyEvaluation(spec: policy.spec, resource: resource)
        evaluation.run()
        return evaluation.violations
    }

    private init(spec: PolicySpec, resource: Resource) {
        self.spec = spec
        self.resource = resource
    }

    private mutating func run() {
        switch self.resource.spec {
        case .model(let model): self.check(model)
        case .endpoint(let endpoint): self.check(endpoint)
        case .promptTemplate, .chain, .dataset, .knowledgeBase, .featureTable, .policy, .overlay, .unavailable: break
        }
        self.checkHosts()
        self.checkNames(self.spec.require.labels, in: self.resource.labels, "labels", what: "label")
        self.checkNames(self.spec.require.annotations, in: self.resource.annotations, "annotations", what: "annotation")
    }

    private mutating func check(_ model: ModelSpec) {
        if let engines = self.spec.engines?.allow, !engines.contains(model.engine) {
            self.report(
                "spec.engines.allow",
                FieldPath("spec", "engine"),
                "engine '\(model.engine)' is not allowed; \(Self.allowed(engines))"
            )
        }
        self.checkReplicas(model.replicas, at: FieldPath("spec", "replicas"))
        if let limit = self.spec.limits.memory, let memory = model.resources.memory, memory > limit {
            self.report(
                "spec.limits.memory",
                FieldPath("spec", "resources", "memory"),
                "one instance may have \(limit), not \(memory)"
            )
        }
        for field in self.spec.require.card where !Self.isFilled(model.card[field.rawValue]) {
            self.report(
                "spec.require.card",
                FieldPath("spec", "card"),
                at: model.card.isEmpty ? .value : .firstKey,
                "the model's card must have the field '\(field.rawValue)'"
            )
        }
    }

    private mutating func check(_ endpoint: EndpointSpec) {
        let field = endpoint.replicas.max >= endpoint.replicas.min ? "max" : "min"
        let most = max(endpoint.replicas.max, endpoint.replicas.min)
        self.checkReplicas(most, at: FieldPath("spec", "replicas", field))
    }

    private mutating func checkReplicas(_ replicas: Int, at field: FieldPath) {
        guard let limit = self.spec.limits.replicas, replicas > limit else { return }
        self.report(
            "spec.limits.replicas",
            field,
            "at most \(limit) \(limit == 1 ? "replica" : "replicas"), not \(replicas)"
        )
    }

    private mutating func checkHosts() {
        guard let rules = self.spec.hosts else { return }
        let hosts = rules.allow
        var strangers: [(field: FieldPath, message: String)] = []
        var insiders: [FieldPath] = []
        self.resource.identity.kind.shape.visit(self.resource.canonicalSpec, at: FieldPath("spec")) { visit in
            guard case .field(let name)? = visit.path.components.last else { return }
            if name == "allowPrivate", visit.value == true { insiders.append(visit.path) }
            guard name == "uri" || name == "url", case .string(let text) = visit.value else { return }
            switch URIHost(text) {
            case .none:
                return
            case .name(let host):
                guard !hosts.contains(where: { HostPattern($0).matches(host) }) else { return }
                strangers.append((visit.path, "host '\(host)' is not allowed; \(Self.allowed(hosts))"))
            case .unclear:
                strangers.append((visit.path, "the host of '\(text)' cannot be told for certain, so it is not allowed"))
            }
        }
        for stranger in strangers { self.report("spec.hosts.allow", stranger.field, stranger.message) }
        for field in insiders where !rules.allowPrivate {
            self.report("spec.hosts.allowPrivate", field, "hosts of private networks are not to be called")
        }
    }

    private mutating func checkNames(
        _ names: [String],
        in members: [String: String],
        _ field: String,
        what: String
    ) {
        for name in names where members[name]?.isEmpty ?? true {
            let path = FieldPath("metadata", field)
            self.report(
                "spec.require.\(field)",
                members[name] == nil ? path : path.field(name),
                at: members.isEmpty || members[name] != nil ? .value : .firstKey,
                members[name] == nil ? "the \(what) '\(name)' is missing" : "the \(what) '\(name)' is empty"
            )
        }
    }

    private mutating func report(
        _ rule: String,
        _ field: FieldPath,
        at place: Finding.Place = .value,
        _ message: String
    ) {
        self.violations.append(Violation(rule: rule, field: field, place: place, message: message))
    }

    private static func allowed(_ words: [String]) -> String {
        words.isEmpty ? "none is" : "allowed: \(words.sorted().joined(separator: ", "))"
    }

    private static func isFilled(_ value: JSONValue?) -> Bool {
        switch value {
        case .string(let text)?: !text.isEmpty
        case .array(let elements)?: !elements.isEmpty
        case .null?, nil: false
        case .bool?, .integer?, .number?, .object?: true
        }
    }
}
