package import Schema

/// A resource as a manifest says it: what `martlet export` writes.
package struct ManifestView: Sendable, Hashable, Codable {
    package struct Metadata: Sendable, Hashable, Codable {
        package var name: String
        package var namespace: String
        /// Nil: none.
        package var labels: [String: String]?
        /// Nil: none.
        package var annotations: [String: String]?
    }

    package var apiVersion: String
    package var kind: Kind
    package var metadata: Metadata
    /// With defaults left out.
    package var spec: JSONValue

    package init(_ resource: Resource) {
        self.apiVersion = ManifestEnvelope.apiVersion
        self.kind = resource.identity.kind
        self.metadata = Metadata(
            name: resource.identity.name,
            namespace: resource.identity.namespace,
            labels: resource.labels.isEmpty ? nil : resource.labels,
            annotations: resource.annotations.isEmpty ? nil : resource.annotations
        )
        self.spec = resource.canonicalSpec
    }

    package var identity: ResourceIdentity {
        ResourceIdentity(self.kind, namespace: self.metadata.namespace, name: self.metadata.name)
    }
}
