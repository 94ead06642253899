package import Schema

/// One request of a chain to a server elsewhere, with every reference in it resolved.
package struct OutboundRequest: Sendable, Hashable {
    /// The value of a header: a text, or a secret by its name.
    package enum HeaderValue: Sendable, Hashable {
        case text(String)
        case secret(SecretReference)
    }

    package var method: String
    /// As the manifest says it: nothing that a caller or a model says is part of it.
    package var url: String
    package var headers: [String: HeaderValue]
    /// Appended to the address, by name: texts, numbers and booleans, or lists of them; null is left out.
    package var query: [String: JSONValue]
    /// Sent as JSON; nil: nothing is sent.
    package var body: JSONValue?
    /// For all of it, from the look-up of the name to the last byte of the answer.
    package var timeout: Duration
    /// The hosts that the manifest declares; a name, or `*.` and a name.
    package var allowedHosts: [String]
    /// Whether the host may have an address of a private network.
    package var allowsPrivateAddresses: Bool
    /// Sent as `traceparent`, so that the server's own spans hang below ours.
    package var traceParent: String?

    package init(
        method: String,
        url: String,
        headers: [String: HeaderValue] = [:],
        query: [String: JSONValue] = [:],
        body: JSONValue? = nil,
        timeout: Duration,
        allowedHosts: [String],
        allowsPrivateAddresses: Bool = false,
        traceParent: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.query = query
        self.body = body
        self.timeout = timeout
        self.allowedHosts = allowedHosts
        self.allowsPrivateAddresses = allowsPrivateAddresses
        self.traceParent = traceParent
    }
}

/// What a server elsewhere said.
package struct OutboundAnswer: Sendable, Hashable {
    /// From 200 to 299.
    package var status: Int
    /// Its JSON; the text where it is none, and null where nothing came.
    package var body: JSONValue

    package init(status: Int, body: JSONValue) {
        self.status = status
        self.body = body
    }
}

/// Asks servers elsewhere for chains, and nobody whom the manifest and the address rules do not let it ask.
package protocol HTTPCaller: Sendable {
    /// Asks once; nothing is tried again and no redirect is followed. Cancelling ends the request.
    ///
    /// Throws ``OutboundFailure``, for any answer but success too, and `CancellationError`.
    func call(_ request: OutboundRequest) async throws -> OutboundAnswer
}
