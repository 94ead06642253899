/// Checks of a `Model` that one field alone cannot answer for.
struct ModelCheck {
    let spec: JSONValue
    let path: FieldPath
    let knownEngines: Set<String>

    /// Engines whose model runs on a server elsewhere.
    static let remoteEngines: Set<String> = ["openai", "inference"]

    func findings() -> [Finding] {
        var findings = SourceCheck.findings(self.spec["source"], at: self.path.field("source"))
        let adapters = self.spec["adapters"]?.array ?? []
        for (index, adapter) in adapters.enumerated() {
            let path = self.path.field("adapters").item(index)
            findings += SourceCheck.findings(adapter["source"], at: path.field("source"))
        }
        findings += UniqueNames.findings(in: adapters, at: self.path.field("adapters"), what: "adapter")
        guard let engine = self.spec["engine"]?.string else { return findings }
        return findings + self.engineFindings(engine)
    }

    private func engineFindings(_ engine: String) -> [Finding] {
        let isRemote = Self.remoteEngines.contains(engine)
        let needed = isRemote ? "upstream" : "source"
        let refused = isRemote ? "source" : "upstream"
        var findings: [Finding] = []
        if self.spec[needed] == nil {
            findings.append(
                Finding(
                    self.path,
                    at: .firstKey,
                    "missing field '\(needed)' in Model.spec, which engine '\(engine)' needs"
                )
            )
        }
        if self.spec[refused] != nil {
            findings.append(
                Finding(
                    self.path.field(refused),
                    at: .key,
                    "engine '\(engine)' has no use for the field '\(refused)' in Model.spec"
                )
            )
        }
        if !self.knownEngines.contains(engine) {
            let hint = NearestWord.hint(for: engine, among: self.knownEngines)
            findings.append(
                Finding(.warning, self.path.field("engine"), "engine '\(engine)' is not known here" + hint)
            )
        }
        return findings
    }
}

/// Checks that the elements of a list do not share their names.
enum UniqueNames {
    static func findings(in elements: [JSONValue], at path: FieldPath, what: String) -> [Finding] {
        var seen: [String: Int] = [:]
        var findings: [Finding] = []
        for (index, element) in elements.enumerated() {
            guard let name = element["name"]?.string else { continue }
            if let first = seen[name] {
                findings.append(
                    Finding(
                        path.item(index).field("name"),
                        "duplicate \(what) '\(name)'; the first one is \(path.item(first))"
                    )
                )
            } else {
                seen[name] = index
            }
        }
        return findings
    }
}
