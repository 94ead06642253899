internal import Planning
internal import Schema

/// Finds endpoints that answer nobody.
enum AccessCheck {
    /// A warning for each endpoint that lets nobody in; that is right while it is being prepared, and else an oversight.
    static func diagnostics(of desired: DesiredState) -> [Diagnostic] {
        desired.resources.values.compactMap { resource in
            guard case .endpoint(let spec) = resource.spec else { return nil }
            if let access = spec.access, access.anonymous || !access.tenants.isEmpty { return nil }
            let message =
                "nobody may call this endpoint; spec.access says who may: 'access: {anonymous: true}' lets all in"
            return Diagnostic(.warning, at: resource.location, message, resource: resource.identity)
        }
    }
}
