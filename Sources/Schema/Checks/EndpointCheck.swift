/// Checks of an `Endpoint` that one field alone cannot answer for.
struct EndpointCheck {
    let spec: JSONValue
    let path: FieldPath

    func findings() -> [Finding] {
        ExpressionCheck.findings(in: self.spec, of: .endpoint, at: self.path)
            + self.chatFindings() + self.replicaFindings() + self.accessFindings() + self.rolloutFindings()
            + self.tenantFindings()
    }

    private func replicaFindings() -> [Finding] {
        let replicas = self.spec["replicas"]
        guard let minimum = replicas?["min"]?.integer else { return [] }
        let maximum = replicas?["max"]?.integer ?? 1
        guard minimum > maximum else { return [] }
        let note = replicas?["max"] == nil ? ", its default" : ""
        return [
            Finding(
                self.path.field("replicas").field("min"),
                "Endpoint.spec.replicas.min is \(minimum) but max is \(maximum)\(note); min must not be more than max"
            )
        ]
    }

    private func chatFindings() -> [Finding] {
        guard self.spec["chat"] != nil, self.spec["serve"]?["model"] != nil else { return [] }
        return [
            Finding(
                .warning,
                self.path.field("chat"),
                at: .key,
                "the field 'chat' has no effect where a bare model is served; it gets the messages as they are"
            )
        ]
    }

    private func accessFindings() -> [Finding] {
        guard let access = self.spec["access"], access["anonymous"] == .bool(true),
            let tenants = access["tenants"]?.array, !tenants.isEmpty
        else { return [] }
        return [
            Finding(
                self.path.field("access").field("tenants"),
                at: .key,
                "Endpoint.spec.access lets everybody in already; give either 'anonymous: true' or 'tenants'"
            )
        ]
    }

    private func rolloutFindings() -> [Finding] {
        guard let rollout = self.spec["rollout"] else { return [] }
        let path = self.path.field("rollout")
        let strategy = rollout["strategy"]?.string ?? "immediate"
        var findings: [Finding] = []
        let uses = [("steps", "canary"), ("shadow", "shadow"), ("experiment", "experiment")]
        for (field, needed) in uses where rollout[field] != nil && strategy != needed {
            findings.append(
                Finding(
                    .warning,
                    path.field(field),
                    at: .key,
                    "the field '\(field)' has no effect with the strategy '\(strategy)', only with '\(needed)'"
                )
            )
        }
        if strategy == "canary", rollout["steps"]?.array?.isEmpty ?? true {
            findings.append(
                Finding(
                    path,
                    at: .firstKey,
                    "missing field 'steps' in Endpoint.spec.rollout, which the strategy 'canary' needs"
                )
            )
        }
        if strategy == "experiment", rollout["experiment"] == nil {
            findings.append(
                Finding(
                    path,
                    at: .firstKey,
                    "missing field 'experiment' in Endpoint.spec.rollout, which the strategy 'experiment' needs"
                )
            )
        }
        return findings
    }

    private func tenantFindings() -> [Finding] {
        var seen: Set<String> = []
        return (self.spec["tenants"]?.array ?? []).enumerated().compactMap { index, variant in
            guard let tenant = variant["tenant"]?.string, !seen.insert(tenant).inserted else { return nil }
            return Finding(
                self.path.field("tenants").item(index).field("tenant"),
                "tenant '\(tenant)' has a version of its own already"
            )
        }
    }
}

extension JSONValue {
    /// The whole number in this value, if it is one.
    fileprivate var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }
}
