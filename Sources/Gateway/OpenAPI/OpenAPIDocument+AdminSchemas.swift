internal import Schema

extension OpenAPIDocument {
    /// The admin API's values. Times are milliseconds since 1970, revisions are full digests.
    static let adminSchemas: [String: JSONValue] = [
        "Problem": Self.object(
            [
                "type": Self.string, "title": Self.string, "status": Self.integer, "detail": Self.string,
                "code": Self.string,
            ],
            required: ["type", "title", "status", "detail", "code"]
        ),
        "Status": Self.object(
            [
                "version": Self.string, "source": ["type": "object"], "sources": Self.array(of: ["type": "object"]),
                "sync": Self.words(["Synced", "OutOfSync", "Unknown"]), "health": Self.health,
                "conditions": Self.array(of: ["type": "object"]), "suspended": Self.boolean,
                "endpoints": Self.array(of: Self.reference("Resource")), "moreEndpoints": Self.integer,
                "diagnostics": Self.array(of: ["type": "object"]), "moreDiagnostics": Self.integer,
                "moreWaits": Self.integer, "holds": Self.array(of: Self.reference("Hold")),
                "waits": Self.array(of: ["type": "object"]), "guarded": Self.array(of: Self.reference("PruneStop")),
                "pendingSteps": Self.integer, "memoryBytes": Self.integer, "memoryBudget": Self.integer,
                "abandonedCalls": Self.integer,
            ],
            required: [
                "version", "source", "sources", "sync", "health", "conditions", "suspended", "endpoints",
                "moreEndpoints", "diagnostics", "moreDiagnostics", "holds", "waits", "moreWaits", "guarded",
                "pendingSteps", "memoryBytes", "abandonedCalls",
            ]
        ),
        "Resource": Self.object(
            [
                "kind": Self.string, "namespace": Self.string, "name": Self.string, "labels": ["type": "object"],
                "digest": Self.string, "location": Self.string, "sync": Self.words(["Synced", "OutOfSync", "Unknown"]),
                "health": Self.health, "conditions": Self.array(of: ["type": "object"]),
                "variants": Self.array(of: ["type": "object"]), "settingsRevision": Self.string,
                "instance": Self.reference("Instance"), "suspended": Self.boolean, "spec": [:],
            ],
            required: ["kind", "namespace", "name", "labels", "sync", "health", "conditions", "variants", "suspended"]
        ),
        "Instance": Self.object(
            [
                "key": Self.string,
                "state": Self.words(["loading", "ready", "failed", "demanded", "evicted", "unloaded"]),
                "message": Self.string, "memoryBytes": Self.integer, "copies": Self.integer, "lastUsed": Self.integer,
            ],
            required: ["key", "state", "message", "memoryBytes", "copies"]
        ),
        "Plan": Self.object(
            [
                "commit": Self.string, "steps": Self.array(of: ["type": "object"]),
                "waits": Self.array(of: ["type": "object"]), "guarded": Self.array(of: Self.reference("PruneStop")),
                "proposed": Self.array(of: Self.reference("ProposedPlan")), "obstacles": Self.array(of: Self.string),
            ],
            required: ["commit", "steps", "waits", "guarded", "proposed", "obstacles"]
        ),
        "ProposedPlan": Self.object(
            [
                "commit": Self.reference("Commit"), "wait": ["type": "object"], "plan": Self.reference("Plan"),
                "diagnostics": Self.array(of: ["type": "object"]),
            ],
            required: ["commit", "wait", "plan", "diagnostics"]
        ),
        "PruneStop": Self.object(
            [
                "commit": Self.reference("Commit"), "endpoints": Self.array(of: ["type": "string"]),
                "total": Self.integer,
                "isEmptied": Self.boolean, "message": Self.string,
            ],
            required: ["commit", "endpoints", "total", "isEmptied", "message"]
        ),
        "Confirmation": Self.object(
            [
                "commit": Self.string, "endpoints": Self.array(of: Self.string), "reason": Self.string,
                "actor": Self.object(["name": Self.string], required: ["name"]), "at": Self.integer,
            ],
            required: ["commit", "endpoints", "reason", "actor", "at"]
        ),
        "Event": Self.object(
            [
                "sequence": Self.integer, "at": Self.integer, "severity": Self.words(["Normal", "Warning"]),
                "resource": Self.string, "variant": Self.string, "revision": Self.string, "commit": Self.string,
                "reason": Self.string, "message": Self.string,
            ],
            required: ["sequence", "at", "severity", "reason", "message"]
        ),
        "Hold": Self.object(
            [
                "variant": Self.string, "revision": Self.string, "reason": Self.string, "message": Self.string,
                "actor": Self.object(["name": Self.string], required: ["name"]), "at": Self.integer,
                "commit": Self.string, "target": Self.string,
            ],
            required: ["variant", "revision", "reason", "message", "actor", "at", "commit"]
        ),
        "Commit": Self.object(
            [
                "id": Self.string, "subject": Self.string, "author": Self.string, "time": Self.integer,
                "signer": Self.string,
            ],
            required: ["id", "subject", "author", "time"]
        ),
    ]

    private static let health = Self.words(["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"])
}
