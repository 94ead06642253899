internal import Schema

/// One variant's service, with everything that it reaches.
struct ReachedService {
    /// A resource on the way, with the identities of the bytes that it names.
    struct Part {
        var resource: ResourceIdentity
        var digest: Digest
        var artifacts: [String]
    }

    var variant: VariantID
    var serve: EndpointSpec.Serve
    /// `serve` as the manifest's canonical spec has it.
    var canonicalServe: JSONValue
    /// Each resource once.
    var parts: [Part]
}

/// What a revision is: golden tests freeze these two digests, since a change rolls every endpoint there is.
enum RevisionRule {
    /// A digest over `serve`, `chat`, and the digest and artifacts of every resource that is reached.
    static func revision(of endpoint: Resource, serving service: ReachedService) -> Revision {
        var value: [String: JSONValue] = ["serve": service.canonicalServe]
        value["chat"] = endpoint.canonicalSpec["chat"]
        var parts: [String: JSONValue] = [:]
        for part in service.parts {
            parts[part.resource.description] = [
                "digest": .string(part.digest.hex),
                "artifacts": .array(part.artifacts.map { .string($0) }),
            ]
        }
        value["reaches"] = .object(parts)
        return Revision(Digest(canonical: .object(value)))
    }

    /// A digest over every field of an endpoint that belongs to no revision.
    static func settings(of endpoint: Resource) -> Revision {
        var members = endpoint.canonicalSpec.object ?? [:]
        for field in ["serve", "chat", "tenants"] { members[field] = nil }
        return Revision(Digest(canonical: .object(members)))
    }
}
