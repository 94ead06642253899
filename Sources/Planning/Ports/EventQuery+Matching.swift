package import Schema

extension Event {
    /// The resource that the event is about: the one it names, else its variant's endpoint.
    package var subject: ResourceIdentity? {
        self.resource ?? self.variant?.resource
    }
}

extension EventQuery {
    /// Whether a stored event is in the range, its limit left aside.
    package func matches(_ event: Event) -> Bool {
        if let after = self.after, event.sequence <= after { return false }
        if let resource = self.resource, event.subject != resource { return false }
        return true
    }
}
