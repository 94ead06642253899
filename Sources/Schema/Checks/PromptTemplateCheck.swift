/// Checks of a `PromptTemplate`: its messages against its variables.
struct PromptTemplateCheck {
    let spec: JSONValue
    let path: FieldPath

    func findings() -> [Finding] {
        var findings: [Finding] = []
        var used: Set<String> = []
        let variables = self.spec["variables"]?.object ?? [:]
        for (index, message) in (self.spec["messages"]?.array ?? []).enumerated() {
            guard let content = message["content"]?.string else { continue }
            let path = self.path.field("messages").item(index).field("content")
            let template = MustacheScanner(content)
            findings += template.problems.map { Finding(path, "\($0.message)") }
            var reported: Set<String> = []
            for tag in template.tags {
                guard let root = tag.name.first else { continue }
                used.insert(root)
                guard variables[root] == nil, !self.mayBeElsewhere(tag, variables) else { continue }
                guard reported.insert(root).inserted else { continue }
                findings.append(
                    Finding(path, "unknown variable '\(root)'" + NearestWord.hint(for: root, among: variables.keys))
                )
            }
        }
        for name in variables.keys.sorted() where !used.contains(name) {
            findings.append(
                Finding(
                    .warning,
                    self.path.field("variables").field(name),
                    at: .key,
                    "variable '\(name)' is not used in any message"
                )
            )
        }
        return findings + self.variableFindings(variables) + self.outputFindings() + self.guardFindings(variables)
    }

    /// Whether a section around the tag enters an object or a list, whose own names are not declared.
    private func mayBeElsewhere(_ tag: MustacheScanner.Tag, _ variables: [String: JSONValue]) -> Bool {
        tag.sections.contains { section in
            guard let root = section.first, let variable = variables[root] else { return true }
            return section.count > 1 || ["array", "object"].contains(variable["type"]?.string)
        }
    }

    private func outputFindings() -> [Finding] {
        guard let output = self.spec["output"] else { return [] }
        let path = self.path.field("output")
        let onInvalid = output["onInvalid"]?.string ?? "retry"
        var findings = JSONSchemaCheck.findings(output["schema"], at: path.field("schema"))
        for field in ["onInvalid", "retries"] where output[field] != nil && output["schema"] == nil {
            findings.append(
                Finding(.warning, path.field(field), at: .key, "the field '\(field)' has no effect without a schema")
            )
        }
        if output["retries"] != nil, output["schema"] != nil, !["retry", "repair"].contains(onInvalid) {
            let message =
                "the field 'retries' has no effect with onInvalid '\(onInvalid)', only with 'retry' and 'repair'"
            findings.append(Finding(.warning, path.field("retries"), at: .key, message))
        }
        return findings
    }

    private func guardFindings(_ variables: [String: JSONValue]) -> [Finding] {
        ["input", "output"].flatMap { place in
            let path = self.path.field("guards").field(place)
            return (self.spec["guards"]?[place]?.array ?? []).enumerated().flatMap { index, rule in
                self.findings(of: rule, place, variables, at: path.item(index))
            }
        }
    }

    private func findings(
        of rule: JSONValue,
        _ place: String,
        _ variables: [String: JSONValue],
        at path: FieldPath
    ) -> [Finding] {
        var findings: [Finding] = []
        if let pattern = rule["deny"]?["pattern"]?.string {
            do {
                _ = try LinearPattern(pattern)
            } catch {
                let message = "the pattern cannot be matched in bounded time: \(error.message)"
                findings.append(Finding(path.field("deny").field("pattern"), message))
            }
        } else if rule["action"]?.string == "redact", rule["maxTokens"] != nil || rule["topics"] != nil {
            let message = "the action 'redact' replaces what a pattern denies; other checks can 'refuse' or 'flag'"
            findings.append(Finding(path.field("action"), message))
        }
        for (index, variable) in (rule["topics"]?["variables"]?.array ?? []).enumerated() {
            let path = path.field("topics").field("variables").item(index)
            guard place == "input" else {
                findings.append(Finding(.warning, path, "a check of the answer looks at the answer, not at variables"))
                continue
            }
            guard let name = variable.string, variables[name] == nil else { continue }
            findings.append(
                Finding(path, "unknown variable '\(name)'" + NearestWord.hint(for: name, among: variables.keys))
            )
        }
        return findings
    }

    private func variableFindings(_ variables: [String: JSONValue]) -> [Finding] {
        variables.sorted { $0.key < $1.key }.flatMap { name, variable in
            let path = self.path.field("variables").field(name)
            let type = variable["type"]?.string ?? "string"
            var findings: [Finding] = []
            if let value = variable["default"] {
                if !value.isOf(type) {
                    findings.append(Finding(path.field("default"), "the default of '\(name)' must be of type \(type)"))
                } else if let choices = variable["enum"]?.array, !choices.contains(value) {
                    findings.append(
                        Finding(path.field("default"), "the default of '\(name)' must be one of its enum's values")
                    )
                }
            }
            if variable["maxLength"] != nil, type != "string" {
                let message = "the field 'maxLength' has no effect on a variable of type \(type)"
                findings.append(Finding(.warning, path.field("maxLength"), at: .key, message))
            }
            findings += JSONSchemaCheck.findings(variable["schema"], at: path.field("schema"))
            for (index, choice) in (variable["enum"]?.array ?? []).enumerated() where !choice.isOf(type) {
                findings.append(
                    Finding(path.field("enum").item(index), "a value of '\(name)' must be of type \(type)")
                )
            }
            return findings
        }
    }
}

extension JSONValue {
    /// Whether this is a value of a variable's type.
    fileprivate func isOf(_ type: String) -> Bool {
        switch self {
        case .string: type == "string"
        case .integer: type == "integer" || type == "number"
        case .number(let number): type == "number" || (type == "integer" && Int64(exactly: number) != nil)
        case .bool: type == "boolean"
        case .array: type == "array"
        case .object: type == "object"
        case .null: false
        }
    }
}
