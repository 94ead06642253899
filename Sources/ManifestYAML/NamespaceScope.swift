package import Schema

/// Where the manifests of one source may declare resources.
package struct NamespaceScope: Sendable, Hashable {
    /// The source's name, for messages.
    package var source: String
    /// Of manifests that name none; always within reach.
    package var namespace: String
    package var reach: NamespaceReach

    package init(source: String = "", namespace: String, reach: NamespaceReach = .all) {
        self.source = source
        self.namespace = namespace
        self.reach = reach
    }

    /// The scope of a source as a file of sources declares it.
    package init(_ source: SourceSpec) {
        self.init(source: source.name, namespace: source.namespace, reach: source.namespaces ?? .only([]))
    }

    func permits(_ namespace: String) -> Bool {
        switch self.reach {
        case .all: true
        case .only(let names): namespace == self.namespace || names.contains(namespace)
        }
    }

    /// Why a resource of a namespace does not count.
    func refusal(of namespace: String) -> String {
        var names = [self.namespace]
        if case .only(let more) = self.reach { names += more.subtracting(names).sorted() }
        let permitted = names.map { "'\($0)'" }.joined(separator: ", ")
        return "source '\(self.source)' may declare resources in \(permitted) only, not in '\(namespace)'; move the "
            + "manifest, or add the namespace to 'namespaces' of the source"
    }
}
