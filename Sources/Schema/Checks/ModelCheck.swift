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
        let isSeveral = isRemote && self.spec["upstreams"] != nil
        let needed = isSeveral ? "upstreams" : isRemote ? "upstream" : "source"
        let refused = isRemote ? ["source", "adapters"] : ["upstream", "upstreams", "balance"]
        var findings = isRemote ? self.upstreamFindings() : []
        if self.spec[needed] == nil {
            findings.append(
                Finding(
                    self.path,
                    at: .firstKey,
                    "missing field '\(needed)' in Model.spec, which engine '\(engine)' needs"
                )
            )
        }
        for field in refused where self.spec[field] != nil {
            findings.append(
                Finding(
                    self.path.field(field),
                    at: .key,
                    "engine '\(engine)' has no use for the field '\(field)' in Model.spec"
                )
            )
        }
        if let reason = Self.reasonForNoThreads(of: engine), self.spec["resources"]?["threads"] != nil {
            findings.append(
                Finding(
                    self.path.field("resources").field("threads"),
                    at: .key,
                    "engine '\(engine)' has no use for the field 'threads' in Model.spec.resources: \(reason); "
                        + "leave it out"
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

    /// Why no instance of an engine has threads of its own; nil where it may have.
    private static func reasonForNoThreads(of engine: String) -> String? {
        if engine == "onnx" { return "all its models share one pool of threads" }
        return Self.remoteEngines.contains(engine) ? "the model runs elsewhere" : nil
    }

    private func upstreamFindings() -> [Finding] {
        var findings: [Finding] = []
        let several = self.spec["upstreams"]?.array
        if several != nil, self.spec["upstream"] != nil {
            findings.append(
                Finding(self.path.field("upstream"), at: .key, "a Model has 'upstream' or 'upstreams', not both")
            )
        }
        if several?.isEmpty == true {
            findings.append(Finding(self.path.field("upstreams"), "must name one upstream at least"))
        }
        let single = self.spec["upstream"].map { [(self.path.field("upstream"), $0)] } ?? []
        let all = (several ?? []).enumerated().map { (self.path.field("upstreams").item($0.offset), $0.element) }
        if self.spec["engine"]?.string == "inference" {
            // Tensors come whole, when all of them are computed.
            findings += (single + all).filter { $0.1["firstByteTimeout"] != nil }.map { path, _ in
                Finding(
                    path.field("firstByteTimeout"),
                    at: .key,
                    "engine 'inference' streams nothing, so that it has no use for 'firstByteTimeout'; set 'timeout'"
                )
            }
        }
        for (path, upstream) in single + all {
            guard let url = upstream["url"]?.string, let problem = Self.problem(withURL: url) else { continue }
            findings.append(Finding(path.field("url"), problem))
        }
        return findings
    }

    /// What is wrong with the base address of an API, beyond its form.
    private static func problem(withURL url: String) -> String? {
        let authority = url.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.contains("@") { return "an upstream's address names no user; the key belongs to 'apiKey'" }
        if url.contains(where: { $0 == "?" || $0 == "#" }) { return "an upstream's address ends with its base path" }
        return nil
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
