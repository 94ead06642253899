package import Schema

/// The servers elsewhere that answer for a model, each of which can do it alone.
package struct UpstreamSet: Sendable, Hashable, Codable {
    package struct Member: Sendable, Hashable, Codable {
        /// Up to and with the API's base path, without a slash at its end.
        package var url: String
        /// The model's name there.
        package var model: String
        /// Names the key that the server asks for.
        package var apiKey: SecretReference?
        /// How long one attempt at a request may take, from its first byte to the answer's last.
        package var timeout: ManifestDuration
        /// How long the first byte of a streamed answer may take; nil: as long as all of it.
        package var firstByteTimeout: ManifestDuration?
        /// How often a request is tried here again after a failure.
        package var retries: Int
        package var weight: Int

        package init(
            url: String,
            model: String,
            apiKey: SecretReference? = nil,
            timeout: ManifestDuration = .seconds(60),
            firstByteTimeout: ManifestDuration? = nil,
            retries: Int = 2,
            weight: Int = 1
        ) {
            self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
            self.model = model
            self.apiKey = apiKey
            self.timeout = timeout
            self.firstByteTimeout = firstByteTimeout
            self.retries = retries
            self.weight = weight
        }
    }

    package var balance: ModelSpec.Balance
    package var members: [Member]

    package init(balance: ModelSpec.Balance = .order, members: [Member]) {
        self.balance = balance
        self.members = members
    }

    /// What a model's manifest says of them; nil for a model whose weights are loaded here.
    package init?(_ spec: ModelSpec, of model: ResourceIdentity) {
        let upstreams = spec.upstreams ?? [spec.upstream].compactMap(\.self)
        guard !upstreams.isEmpty else { return nil }
        self.init(
            balance: spec.balance,
            members: upstreams.map { upstream in
                Member(
                    url: upstream.url,
                    model: upstream.model ?? model.name,
                    apiKey: upstream.apiKey,
                    timeout: upstream.timeout,
                    firstByteTimeout: upstream.firstByteTimeout,
                    retries: upstream.retries,
                    weight: upstream.weight ?? 1
                )
            }
        )
    }

    /// All of it as JSON, for the digest of an instance: the names of secrets, and no secret.
    var json: JSONValue {
        [
            "balance": .string(self.balance.rawValue),
            "members": .array(self.members.map(\.json)),
        ]
    }

    /// The addresses, for people.
    package var words: String { self.members.map(\.url).joined(separator: ", ") }
}

extension UpstreamSet.Member {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "url": .string(self.url), "model": .string(self.model), "timeout": .string(self.timeout.description),
            "retries": .integer(Int64(self.retries)), "weight": .integer(Int64(self.weight)),
        ]
        if let timeout = self.firstByteTimeout { members["firstByteTimeout"] = .string(timeout.description) }
        if let name = self.apiKey?.fromEnv { members["apiKey"] = ["fromEnv": .string(name)] }
        if let name = self.apiKey?.fromFile { members["apiKey"] = ["fromFile": .string(name)] }
        return .object(members)
    }
}

extension UpstreamSet {
    /// The fields of a model's manifest that changed between two sets.
    static func changedFields(from old: UpstreamSet?, to new: UpstreamSet?) -> [String] {
        guard let old, let new else { return old == new ? [] : ["spec.upstreams"] }
        var fields = old.balance == new.balance ? [] : ["spec.balance"]
        if old.members.count == 1, new.members.count == 1 {
            fields += JSONValue.changedFields(from: old.members[0].json, to: new.members[0].json, at: "spec.upstream")
        } else {
            let (before, after) = (JSONValue.array(old.members.map(\.json)), JSONValue.array(new.members.map(\.json)))
            fields += JSONValue.changedFields(from: before, to: after, at: "spec.upstreams")
        }
        return fields
    }
}
