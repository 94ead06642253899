package import Schema

extension OutboundRequest {
    /// A call as a manifest declares it, with what it is sent.
    ///
    /// - Parameters:
    ///   - query: appended to the address, by name.
    ///   - body: sent as JSON; nil: nothing is.
    ///   - timeout: for all of it.
    package init(
        _ call: ChainSpec.HTTPCall,
        query: [String: JSONValue],
        body: JSONValue?,
        timeout: Duration,
        traceParent: String?
    ) {
        var hosts: [String] = []
        if case .name(let host) = URIHost(call.url) { hosts = [host] }
        self.init(
            method: call.method,
            url: call.url,
            headers: call.headers.mapValues { value in
                switch value {
                case .text(let text): .text(text)
                case .secret(let secret): .secret(secret)
                }
            },
            query: query,
            body: body,
            timeout: timeout,
            allowedHosts: hosts,
            allowsPrivateAddresses: call.allowPrivate,
            traceParent: traceParent
        )
    }
}
