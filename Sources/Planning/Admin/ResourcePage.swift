package import Schema

/// Which resources to list, and how many of them at once.
package struct ResourceQuery: Sendable, Hashable {
    /// Nil: every kind.
    package var kind: Kind?
    /// Nil: every namespace.
    package var namespace: String?
    /// Nil: all of them in one page.
    package var limit: Int?
    /// Only resources that come behind this one; it need not be there any more.
    package var after: ResourceIdentity?

    package init(
        kind: Kind? = nil,
        namespace: String? = nil,
        limit: Int? = nil,
        after: ResourceIdentity? = nil
    ) {
        self.kind = kind
        self.namespace = namespace
        self.limit = limit
        self.after = after
    }

    /// Of all resources, sorted by identity, those of this page, and whether others follow.
    package func page(of sorted: [ResourceIdentity]) -> (identities: [ResourceIdentity], isLast: Bool) {
        var page: [ResourceIdentity] = []
        for identity in sorted[self.start(in: sorted)...] where self.matches(identity) {
            if let limit, page.count == limit { return (page, false) }
            page.append(identity)
        }
        return (page, true)
    }

    private func matches(_ identity: ResourceIdentity) -> Bool {
        (self.kind == nil || identity.kind == self.kind)
            && (self.namespace == nil || identity.namespace == self.namespace)
    }

    /// The first place behind ``after``.
    private func start(in sorted: [ResourceIdentity]) -> Int {
        guard let after else { return 0 }
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if after < sorted[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A part of a list: sorted by identity, the same in every call as long as nothing comes or goes.
package struct ResourcePage: Sendable, Hashable {
    package var resources: [ResourceView]
    /// The last resource of the page, where others follow: what the next page comes after.
    package var next: ResourceIdentity?

    package init(resources: [ResourceView], next: ResourceIdentity? = nil) {
        self.resources = resources
        self.next = next
    }
}

/// Where a list goes on, as programs pass it back: opaque to them.
package enum ContinueToken {
    /// The token for what comes after a resource.
    package static func text(after identity: ResourceIdentity) -> String {
        identity.description.utf8.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// The resource that a token stands for; nil for what is none.
    package static func identity(_ text: String) -> ResourceIdentity? {
        guard text.utf8.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self).flatMap { ResourceIdentity($0) }
    }
}
