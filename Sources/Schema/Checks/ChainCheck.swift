/// Checks of a `Chain`: what its steps refer to, and that they do not wait for each other in a circle.
struct ChainCheck {
    let spec: JSONValue
    let path: FieldPath

    private typealias Reference = (query: SingularQuery, path: FieldPath)

    func findings() -> [Finding] {
        let steps = self.spec["steps"]?.array ?? []
        let stepsPath = self.path.field("steps")
        let names = steps.map { $0["name"]?.string }
        var findings = UniqueNames.findings(in: steps, at: stepsPath, what: "step")
        var edges: [[(target: Int, path: FieldPath)]] = Array(repeating: [], count: steps.count)
        let positions = Dictionary(
            zip(names, names.indices).compactMap { name, index in name.map { ($0, index) } },
            uniquingKeysWith: { first, _ in first }
        )
        for (index, step) in steps.enumerated() {
            let found = ExpressionCheck.references(in: step, of: .named(.step), at: stepsPath.item(index))
            findings += found.findings + self.nestedFindings(step, at: stepsPath.item(index))
            for reference in found.references {
                if let finding = self.finding(for: reference, names: names) {
                    findings.append(finding)
                } else if let name = reference.query.stepName, let target = positions[name] {
                    edges[index].append((target, reference.path))
                }
            }
        }
        if let output = self.spec["output"] {
            let found = ExpressionCheck.references(in: output, of: .expression, at: self.path.field("output"))
            findings += found.findings + found.references.compactMap { self.finding(for: $0, names: names) }
        }
        findings += JSONSchemaCheck.findings(
            self.spec["input"]?["schema"],
            at: self.path.field("input").field("schema")
        )
        return findings + self.toolFindings(of: steps, at: stepsPath) + self.uselessInputs(of: steps, at: stepsPath)
            + self.cycles(edges, names: names)
    }

    /// What is wrong with the place that a reference points to, if anything is.
    private func finding(for reference: Reference, names: [String?]) -> Finding? {
        guard !reference.path.components.contains(.field("tools")) else {
            // A tool is done for a model, which gives it arguments; it sees nothing of the chain.
            guard reference.query.segments.first != .name("arguments") else { return nil }
            return Finding(
                reference.path,
                "'\(reference.query)' must begin with $.arguments, which is all a tool is given"
            )
        }
        guard case .name(let root)? = reference.query.segments.first else {
            return Finding(reference.path, "'\(reference.query)' must begin with $.input or $.steps.NAME.output")
        }
        guard root == "steps" else {
            guard root != "input" else { return nil }
            let hint = NearestWord.hint(for: root, among: ["input", "steps"])
            return Finding(reference.path, "'\(reference.query)' must begin with $.input or $.steps.NAME.output" + hint)
        }
        guard let name = reference.query.stepName else {
            return Finding(reference.path, "'\(reference.query)' names no step; write $.steps.NAME.output")
        }
        let known = names.compactMap { $0 }
        guard known.contains(name) else {
            // A step whose own name was refused may be the one that is meant.
            guard known.count == names.count else { return nil }
            return Finding(reference.path, "unknown step '\(name)'" + NearestWord.hint(for: name, among: known))
        }
        guard reference.query.segments.count > 2, reference.query.segments[2] == .name("output") else {
            return Finding(
                reference.path,
                "'\(reference.query)' must go on with output: "
                    + "'\(SingularQuery(segments: Array(reference.query.segments.prefix(2)) + [.name("output")]))'"
            )
        }
        return nil
    }

    /// Steps inside a parallel or ensemble step have names of their own.
    private func nestedFindings(_ step: JSONValue, at path: FieldPath) -> [Finding] {
        ["parallel", "ensemble"].flatMap { action -> [Finding] in
            guard let steps = step[action]?["steps"]?.array else { return [] }
            let path = path.field(action).field("steps")
            return UniqueNames.findings(in: steps, at: path, what: "step")
                + steps.enumerated().flatMap { self.nestedFindings($1, at: path.item($0)) }
        }
    }

    /// What is wrong with the tools of agents: one name twice, a schema that says nothing.
    private func toolFindings(of steps: [JSONValue], at path: FieldPath) -> [Finding] {
        steps.enumerated().flatMap { index, step -> [Finding] in
            let path = path.item(index)
            let tools = step["agent"]?["tools"]?.array ?? []
            let toolsPath = path.field("agent").field("tools")
            let schemas = tools.enumerated().flatMap {
                JSONSchemaCheck.findings($1["input"], at: toolsPath.item($0).field("input"))
            }
            let members = ["parallel", "ensemble"].flatMap {
                self.toolFindings(of: step[$0]?["steps"]?.array ?? [], at: path.field($0).field("steps"))
            }
            return UniqueNames.findings(in: tools, at: toolsPath, what: "tool") + schemas + members
        }
    }

    /// What is said where nothing reads it.
    private func uselessInputs(of steps: [JSONValue], at path: FieldPath) -> [Finding] {
        steps.enumerated().flatMap { index, step -> [Finding] in
            let path = path.item(index)
            let members = ["parallel", "ensemble"].flatMap {
                self.uselessInputs(of: step[$0]?["steps"]?.array ?? [], at: path.field($0).field("steps"))
            }
            guard step["with"]?.object?.isEmpty == false, let words = self.withoutInput(step) else { return members }
            let message = "the field 'with' has no effect in a step that \(words)"
            return members + [Finding(.warning, path.field("with"), at: .key, message)]
        }
    }

    /// What a step does that takes no `with`; nil for one that does.
    private func withoutInput(_ step: JSONValue) -> String? {
        if step["set"] != nil { return "only sets data" }
        if step["parallel"] != nil || step["ensemble"] != nil { return "only holds others, which have their own" }
        if step["retrieve"] != nil { return "looks for its 'query'" }
        if step["features"] != nil { return "looks its 'key' up" }
        return step["http"]?["body"] == nil ? nil : "sends a 'body' of its own"
    }

    /// One finding for each circle, at the reference of its first step that closes it.
    private func cycles(_ edges: [[(target: Int, path: FieldPath)]], names: [String?]) -> [Finding] {
        var findings: [Finding] = []
        for cycle in ReferenceCycles.find(edges.map { $0.map(\.target) }) {
            guard let first = cycle.first else { continue }
            let next = cycle.count > 1 ? cycle[1] : first
            guard let edge = edges[first].first(where: { $0.target == next }) else { continue }
            let circle = (cycle + [first]).map { names[$0] ?? "?" }.joined(separator: " -> ")
            findings.append(Finding(edge.path, "steps wait for each other in a circle: \(circle)"))
        }
        return findings
    }
}

extension SingularQuery {
    /// The step that a reference `$.steps.NAME…` names.
    package var stepName: String? {
        guard self.segments.count >= 2, self.segments[0] == .name("steps"), case .name(let name) = self.segments[1]
        else { return nil }
        return name
    }
}
