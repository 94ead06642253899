internal import Planning
internal import Schema

extension DesiredState {
    /// A warning for each resource that says something which this version cannot do yet.
    var unavailable: [Diagnostic] {
        self.resources.values.compactMap { resource in
            let identity = resource.identity
            if case .unavailable = resource.spec {
                let message = "the kind \(identity.kind.rawValue) is checked, but not available in this version"
                return Diagnostic(.warning, at: resource.location, message, resource: identity)
            }
            guard let blocker = self.blocked[identity], blocker.resource == identity, blocker.word == "NotAvailable"
            else { return nil }
            return Diagnostic(.warning, at: resource.location, blocker.message, resource: identity)
        }
    }
}
